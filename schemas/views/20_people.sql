-- Customers, their identifiers, and why they are one. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.dim_profiles AS
SELECT i.profile_id,
       c.first_seen_at,
       c.last_seen_at,
       CASE WHEN c.exit_at <= tutti.as_of() THEN NULL ELSE tutti_meta.stage_name(c.stage) END AS stage,
       CASE WHEN c.exit_at <= tutti.as_of() THEN c.exit_at ELSE c.stage_since_at END AS stage_since_at,
       CASE WHEN c.lapsed_at <= tutti.as_of() THEN 'lapsed' WHEN c.at_risk_at <= tutti.as_of() THEN 'at_risk'
            ELSE tutti_meta.status_name(c.status) END AS status,
       i.is_identified,
       i.identifier_count,
       coalesce(c.order_count, 0) AS order_count,
       (coalesce(c.revenue_micros, 0) * 0.000001)::numeric(38, 6) AS revenue,
       CASE WHEN c.has_margin = 1 THEN (c.margin_micros * 0.000001)::numeric(38, 6) END AS margin,
       CASE WHEN c.has_margin = 1 THEN (c.revenue_with_margin_micros * 0.000001)::numeric(38, 6) END AS revenue_with_margin,
       d.value AS currency,
       CASE WHEN c.has_cost = 1 THEN (c.cost_micros * 0.000001)::numeric(38, 6) END AS cost_to_serve,
       c.last_order_at,
       c.last_score::smallint AS last_score,
       c.score_trend::smallint AS score_trend_90d,
       CASE WHEN EXISTS (SELECT FROM journey.tiers AS n WHERE n.generation = (SELECT generation FROM tutti_meta.active))
           THEN l.tier ELSE t.value END AS loyalty_tier,
       r.value AS preferred_channel,
       z.name AS local_timezone,
       coalesce((SELECT o.opportunities FROM journey.open_opportunities AS o WHERE o.profile_id = i.profile_id), 0) AS open_opportunity_count,
       CASE WHEN EXISTS (SELECT FROM suppression.arms)
           THEN (SELECT CASE WHEN bool_or(is_control) THEN 'control' WHEN count(*) > 0 THEN 'treated' END
                 FROM suppression.profile_arms AS h WHERE h.profile_id = i.profile_id) END AS holdout_arm,
       tutti.as_of() AS facets_as_of_at,
       i.is_shared
FROM (
    SELECT m.profile_id, bool_or(t.is_unique) AS is_identified, count(*)::integer AS identifier_count, bool_or(m.is_quarantined) AS is_shared
    FROM identity.identifiers AS m
    JOIN identity.types AS t ON t.code = m.type
    GROUP BY m.profile_id
) AS i
LEFT JOIN journey.current_states AS c ON c.profile = tutti_meta.short_key(i.profile_id)
LEFT JOIN journey.dictionary AS d ON d.code = c.currency
LEFT JOIN journey.profile_traits AS t ON t.profile_id = i.profile_id AND t.trait = 'loyalty_tier'
LEFT JOIN journey.profile_tiers AS l ON l.profile_id = i.profile_id
LEFT JOIN journey.preferences AS r ON r.profile_id = i.profile_id AND r.trait = 'preferred_channel'
LEFT JOIN tutti_meta.active_zone_names AS z ON z.code = c.zone;
COMMENT ON VIEW tutti.dim_profiles IS 'Customers: one row per profile of the identity map, with stage and status as of tutti.as_of() (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.profile_id IS 'Id of the customer today: the identifier of theirs that was seen first (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.first_seen_at IS 'Time of the first touchpoint (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.last_seen_at IS 'Time of the last touchpoint (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.stage IS 'Stage of the present journey; null if it has ended or none began (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.stage_since_at IS 'Time of the last change of stage, the end of the journey included (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.status IS 'active, at_risk, lapsed or won_back (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.is_identified IS 'Has an identifier of a unique type, such as a user id (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.identifier_count IS 'Number of identifiers (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.order_count IS 'Number of touches that match a conversion rule, whatever their value (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.revenue IS 'Sum of the conversions in currency (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.margin IS 'Sum of the margin of the conversions in currency; null if none says it (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.revenue_with_margin IS 'Revenue of the conversions that say their margin; null if none does (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.currency IS 'Currency with the most conversions, of several the one with the newest (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.cost_to_serve IS 'Sum of the costs of the touches in currency; null if none says it (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.last_order_at IS 'The last of them (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.last_score IS 'Score of the last touchpoint with one, -100 to 100 (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.score_trend_90d IS 'Mean score of the 90 days up to the newest, less that of the 90 days before; null if either has none (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.loyalty_tier IS 'Tier of the customer by tiers of segments.json; without them the trait loyalty_tier (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.preferred_channel IS 'Channel of the sends that the customer answered most often lately (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.local_timezone IS 'The newest time zone that any of its touchpoints said (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.open_opportunity_count IS 'Opportunities that are open or accepted as of tutti.as_of() (convergent).';
COMMENT ON COLUMN tutti.dim_profiles.holdout_arm IS 'control in one of the holdouts, else treated; null: drew in none (chronicle).';
COMMENT ON COLUMN tutti.dim_profiles.facets_as_of_at IS 'The moment that stage and status are shown for: tutti.as_of() (chronicle).';
COMMENT ON COLUMN tutti.dim_profiles.is_shared IS 'Its only identifier is in quarantine: listed, without a journey; only its sales are in the figures (convergent).';
GRANT SELECT ON tutti.dim_profiles TO tutti_reader;

CREATE VIEW tutti.dim_profile_aliases AS
SELECT identifier_id AS profile_id, profile_id AS current_profile_id
FROM identity.identifiers;
COMMENT ON VIEW tutti.dim_profile_aliases IS 'Every id that ever named a profile, with today''s profile (convergent).';
COMMENT ON COLUMN tutti.dim_profile_aliases.profile_id IS 'An id that names or once named a profile (convergent).';
COMMENT ON COLUMN tutti.dim_profile_aliases.current_profile_id IS 'The profile it leads to today (convergent).';
GRANT SELECT ON tutti.dim_profile_aliases TO tutti_reader;

CREATE VIEW tutti.dim_identifiers AS
SELECT i.identifier_id, t.type, i.profile_id, i.first_seen_at, i.is_quarantined
FROM identity.identifiers AS i
JOIN identity.types AS t ON t.code = i.type;
COMMENT ON VIEW tutti.dim_identifiers IS 'Identifiers as keyed hashes, never raw values (convergent).';
COMMENT ON COLUMN tutti.dim_identifiers.identifier_id IS 'Keyed hash of type and normalised value (convergent).';
COMMENT ON COLUMN tutti.dim_identifiers.type IS 'Type of the identifier, as the identity policy names it (convergent).';
COMMENT ON COLUMN tutti.dim_identifiers.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.dim_identifiers.first_seen_at IS 'Earliest time of a touchpoint with it (convergent).';
COMMENT ON COLUMN tutti.dim_identifiers.is_quarantined IS 'Links nothing because too many others use it (convergent).';
GRANT SELECT ON tutti.dim_identifiers TO tutti_reader;

CREATE VIEW tutti.dim_identifier_history AS
SELECT i.identifier_id, coalesce(c.from_profile_id, i.profile_id) AS profile_id, NULL::timestamptz AS valid_from_at,
       c.changed_at AS valid_to_at
FROM identity.identifiers AS i
LEFT JOIN LATERAL (
    SELECT from_profile_id, changed_at
    FROM identity.changes
    WHERE identifier_id = i.identifier_id
    ORDER BY version
    LIMIT 1
) AS c ON true
UNION ALL
SELECT identifier_id, to_profile_id, changed_at, lead(changed_at) OVER (PARTITION BY identifier_id ORDER BY version)
FROM identity.changes;
COMMENT ON VIEW tutti.dim_identifier_history IS 'Which profile an identifier was in at what time, as it was known (chronicle).';
COMMENT ON COLUMN tutti.dim_identifier_history.identifier_id IS 'Keyed hash of type and normalised value (chronicle).';
COMMENT ON COLUMN tutti.dim_identifier_history.profile_id IS 'Profile during the interval (chronicle).';
COMMENT ON COLUMN tutti.dim_identifier_history.valid_from_at IS 'When it came to be known; null = from the beginning (chronicle).';
COMMENT ON COLUMN tutti.dim_identifier_history.valid_to_at IS 'When something else came to be known; null = still (chronicle).';
GRANT SELECT ON tutti.dim_identifier_history TO tutti_reader;

CREATE VIEW tutti.fct_identity_changes AS
SELECT c.version, c.identifier_id, t.type, c.from_profile_id, c.to_profile_id, c.changed_at, c.cause,
       nullif(c.cause_id, '00000000-0000-0000-0000-000000000000') AS cause_touchpoint_id, c.changed_at AS loaded_at,
       c.version % 2 = 1 AS is_shared, c.policy_version, o.actor, o.reason, p.hash AS policy_hash
FROM identity.changes AS c
LEFT JOIN identity.policies AS p ON p.version = c.policy_version
LEFT JOIN identity.identifiers AS i USING (identifier_id)
LEFT JOIN identity.types AS t ON t.code = i.type
LEFT JOIN LATERAL (
    SELECT actor, reason
    FROM identity.manual_evidence
    WHERE version = c.version - c.version % 4
    ORDER BY id
    LIMIT 1
) AS o ON true;
COMMENT ON VIEW tutti.fct_identity_changes IS 'Identifiers that moved between profiles: people joined or renamed (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.version IS 'One per transaction that moved identifiers; one more where the new profile is shared, two more for an identifier of a unique type (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.identifier_id IS 'The identifier that moved (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.type IS 'Its type (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.from_profile_id IS 'Profile before (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.to_profile_id IS 'Profile after (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.changed_at IS 'When it was found out (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.cause IS 'touchpoint, operator or policy (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.cause_touchpoint_id IS 'A touchpoint that showed it (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.is_shared IS 'It went into quarantine (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.policy_version IS 'Version of the identity policy (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.actor IS 'Operator who ordered it; null where none did (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.reason IS 'Reason they gave (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.policy_hash IS 'Hash of that policy, as tutti identity plan prints it (chronicle).';
GRANT SELECT ON tutti.fct_identity_changes TO tutti_reader;

CREATE VIEW tutti.fct_identity_links AS
SELECT l.a, l.b, ta.type AS type_a, tb.type AS type_b, l.first_seen_at, l.evidence, l.is_indirect,
       tutti_meta.refusal_name(l.refused_by) AS refused_by,
       l.loaded_at
FROM identity.links AS l
JOIN identity.identifiers AS ia ON ia.identifier_id = l.a
JOIN identity.types AS ta ON ta.code = ia.type
JOIN identity.identifiers AS ib ON ib.identifier_id = l.b
JOIN identity.types AS tb ON tb.code = ib.type;
COMMENT ON VIEW tutti.fct_identity_links IS 'Which identifiers were seen together, and which rule keeps them apart, if any (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.a IS 'The smaller identifier id (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.b IS 'The larger identifier id (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.type_a IS 'Type of a (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.type_b IS 'Type of b (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.first_seen_at IS 'Earliest time of a touchpoint that shows it, of those with a or b as their strongest where there are any (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.evidence IS 'That touchpoint (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.is_indirect IS 'Another identifier was the strongest of every touchpoint that shows it (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.refused_by IS 'pair, quarantine, cut, unique, limit or max_identifiers; null: both are one customer (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_identity_links TO tutti_reader;

CREATE VIEW tutti.fct_identity_orders AS
SELECT id AS order_id, kind, a, b, actor, reason, made_at, version, made_at AS loaded_at
FROM identity.manual_evidence;
COMMENT ON VIEW tutti.fct_identity_orders IS 'What operators ordered: links, cuts and releases from quarantine (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.order_id IS 'Running number; for a pair the newest link, same or cut counts (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.kind IS 'link, same (a link of two values of one person), cut or release (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.a IS 'An identifier (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.b IS 'The other identifier; null for a release (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.actor IS 'Who ordered it (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.reason IS 'Why (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.made_at IS 'When (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.version IS 'Version of the identity change it led to; null if nothing moved (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.loaded_at IS 'When it was stored (chronicle).';
GRANT SELECT ON tutti.fct_identity_orders TO tutti_reader;
