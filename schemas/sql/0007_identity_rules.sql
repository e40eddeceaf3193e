-- migrate:up
-- Identity in full: refused links, quarantine, an operator's orders, versions of the policy, raw values and tombstones.

DO $$
BEGIN
    IF EXISTS (SELECT FROM identity.outbox) THEN
        RAISE 'identity.outbox has messages of the old kind: start the version before until they are sent, then stop all services without lag';
    END IF;
END $$;

-- ---------------------------------------------------------------------------------------------- locks
-- A fixed number of rows instead of one per profile: a new customer costs none.
DROP TABLE identity.profiles;
CREATE TABLE identity.lock_stripes (
    stripe integer PRIMARY KEY
);
INSERT INTO identity.lock_stripes (stripe) SELECT generate_series(0, 65535);
COMMENT ON TABLE identity.lock_stripes IS 'Lock rows: the first two bytes of a profile_id; fixed (chronicle).';
COMMENT ON COLUMN identity.lock_stripes.stripe IS 'First two bytes of the profile ids it stands for, big-endian.';

-- ---------------------------------------------------------------------------------------------- evidence
-- Versions are even, and odd (one more) where the profile is shared.
UPDATE identity.identifiers SET version = version * 2 WHERE version > 0;
UPDATE identity.changes SET version = version * 2;
UPDATE journey.anchors SET version = version * 2 WHERE version > 0;
UPDATE suppression.anchors SET version = version * 2 WHERE version > 0;
COMMENT ON COLUMN identity.identifiers.version IS 'Version of the last change of profile_id, 0 or 1 = never changed; odd: the profile is shared (chronicle).';
COMMENT ON COLUMN identity.changes.version IS 'One per transaction that moved identifiers; one more (odd) where the new profile is shared.';

ALTER TABLE identity.identifiers ADD COLUMN is_quarantined boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN identity.identifiers.is_quarantined IS 'Linked to more others than the policy allows: its links are refused, and it is alone in its profile.';

ALTER TABLE identity.links ADD COLUMN loaded_at timestamptz NOT NULL DEFAULT now(), ADD COLUMN refused_by smallint NOT NULL DEFAULT 0;
CREATE INDEX links_refused ON identity.links (b) WHERE refused_by <> 0;
COMMENT ON COLUMN identity.links.loaded_at IS 'When it was stored first (chronicle).';
COMMENT ON COLUMN identity.links.refused_by IS 'Rule that refuses it: 0 none, 1 pair, 2 quarantine, 3 cut, 4 unique, 5 limit, 6 max_identifiers.';

CREATE TABLE identity.manual_evidence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('link', 'cut', 'release')),
    a uuid NOT NULL,
    b uuid,
    actor text NOT NULL,
    reason text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    version bigint,
    CHECK ((kind = 'release') = (b IS NULL) AND a <> b)
);
CREATE INDEX manual_evidence_a ON identity.manual_evidence (a);
CREATE INDEX manual_evidence_b ON identity.manual_evidence (b) WHERE b IS NOT NULL;
CREATE INDEX manual_evidence_version ON identity.manual_evidence (version) WHERE version IS NOT NULL;
COMMENT ON TABLE identity.manual_evidence IS 'What operators ordered; for a pair the newest of link and cut counts (chronicle, and evidence).';
COMMENT ON COLUMN identity.manual_evidence.id IS 'Running number: the newest order counts.';
COMMENT ON COLUMN identity.manual_evidence.kind IS 'link: a and b are one customer; cut: never in one profile; release: a is never in quarantine.';
COMMENT ON COLUMN identity.manual_evidence.a IS 'An identifier.';
COMMENT ON COLUMN identity.manual_evidence.b IS 'The other identifier; null for a release.';
COMMENT ON COLUMN identity.manual_evidence.actor IS 'Who ordered it.';
COMMENT ON COLUMN identity.manual_evidence.reason IS 'Why, in their words.';
COMMENT ON COLUMN identity.manual_evidence.made_at IS 'When.';
COMMENT ON COLUMN identity.manual_evidence.version IS 'Version (even) of the identity change it led to; null if nothing moved.';

-- ---------------------------------------------------------------------------------------------- policies
CREATE TABLE identity.policies (
    version integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash uuid NOT NULL,
    policy jsonb NOT NULL,
    actor text,
    activated_at timestamptz NOT NULL DEFAULT now(),
    is_active boolean NOT NULL,
    swept_to uuid,
    is_complete boolean NOT NULL DEFAULT false,
    has_orders boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX policies_one_active ON identity.policies (is_active) WHERE is_active;
COMMENT ON TABLE identity.policies IS 'Identity policies that were active, one at a time (chronicle).';
COMMENT ON COLUMN identity.policies.version IS 'Running number; every change of the map names it.';
COMMENT ON COLUMN identity.policies.hash IS 'Hash of the file as it was applied.';
COMMENT ON COLUMN identity.policies.policy IS 'The file.';
COMMENT ON COLUMN identity.policies.actor IS 'Who applied it; null: the first start of identity-resolver.';
COMMENT ON COLUMN identity.policies.activated_at IS 'When.';
COMMENT ON COLUMN identity.policies.is_active IS 'True for the one that every transaction works by.';
COMMENT ON COLUMN identity.policies.swept_to IS 'Profiles up to this id were reviewed since; null: none.';
COMMENT ON COLUMN identity.policies.is_complete IS 'Every profile was reviewed since.';
COMMENT ON COLUMN identity.policies.has_orders IS 'There may be manual evidence: looked up only then.';

ALTER TABLE identity.changes ADD COLUMN policy_version integer NOT NULL DEFAULT 1;
COMMENT ON COLUMN identity.changes.policy_version IS 'Version of the identity policy it was computed with.';
COMMENT ON COLUMN identity.changes.cause IS 'touchpoint, operator or policy.';
COMMENT ON COLUMN identity.changes.cause_id IS 'event_id of a touchpoint of the batch that caused it; nil for the other causes.';

-- ---------------------------------------------------------------------------------------------- privacy
CREATE TABLE identity.raw_values (
    identifier_id uuid PRIMARY KEY,
    key_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    nonce bytea NOT NULL,
    sealed bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE identity.raw_values IS 'Values of identifiers, each sealed with a key of its own; kept only where privacy.raw_values is on (chronicle).';
COMMENT ON COLUMN identity.raw_values.identifier_id IS 'The identifier.';
COMMENT ON COLUMN identity.raw_values.key_id IS 'Fingerprint of the privacy key that wraps the row''s key.';
COMMENT ON COLUMN identity.raw_values.wrapped_key IS 'The row''s key, sealed with the privacy key: without it the value is gone.';
COMMENT ON COLUMN identity.raw_values.nonce IS 'Nonce of the sealed value.';
COMMENT ON COLUMN identity.raw_values.sealed IS 'The value, sealed with the row''s key.';
COMMENT ON COLUMN identity.raw_values.stored_at IS 'When it was stored.';

CREATE TABLE identity.erased (
    identifier_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
COMMENT ON TABLE identity.erased IS 'Tombstones: touchpoints with this identifier up to that time are dropped (chronicle).';
COMMENT ON COLUMN identity.erased.identifier_id IS 'Keyed hash of an identifier that was erased.';
COMMENT ON COLUMN identity.erased.erased_at IS 'When.';

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.lock_stripes, identity.manual_evidence, identity.policies TO tutti_identity;
GRANT SELECT ON identity.erased TO tutti_identity, tutti_journey, tutti_suppression;
GRANT USAGE ON SCHEMA identity TO tutti_journey, tutti_suppression;
GRANT INSERT ON identity.raw_values TO tutti_identity;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA identity TO tutti_identity;
GRANT USAGE ON SCHEMA identity TO tutti_pii;
GRANT SELECT ON identity.raw_values TO tutti_pii;

-- ---------------------------------------------------------------------------------------------- views
CREATE FUNCTION tutti_meta.refusal_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['pair', 'quarantine', 'cut', 'unique', 'limit', 'max_identifiers'])[code];

CREATE OR REPLACE VIEW tutti.dim_profiles AS
SELECT i.profile_id,
       c.first_seen_at,
       c.last_seen_at,
       CASE WHEN c.exit_at <= tutti.as_of() THEN NULL ELSE tutti_meta.stage_name(c.stage) END AS stage,
       CASE WHEN c.exit_at <= tutti.as_of() THEN c.exit_at ELSE c.stage_since_at END AS stage_since_at,
       tutti_meta.status_name(CASE WHEN c.lapsed_at <= tutti.as_of() THEN 3 WHEN c.at_risk_at <= tutti.as_of() THEN 2 ELSE c.status END)
           AS status,
       i.is_identified,
       i.identifier_count,
       coalesce(c.order_count, 0) AS order_count,
       (coalesce(c.revenue_micros, 0) * 0.000001)::numeric(20, 6) AS revenue,
       (coalesce(c.margin_micros, 0) * 0.000001)::numeric(20, 6) AS margin,
       d.value AS currency,
       c.last_order_at,
       c.last_score::smallint AS last_score,
       tutti.as_of() AS facets_as_of_at,
       i.is_shared
FROM (
    SELECT m.profile_id, bool_or(t.is_unique) AS is_identified, count(*)::integer AS identifier_count, bool_or(m.is_quarantined) AS is_shared
    FROM identity.identifiers AS m
    JOIN identity.types AS t ON t.code = m.type
    GROUP BY m.profile_id
) AS i
LEFT JOIN journey.current_states AS c ON c.profile = tutti_meta.short_key(i.profile_id)
LEFT JOIN journey.dictionary AS d ON d.code = c.currency;

CREATE OR REPLACE VIEW tutti.dim_identifiers AS
SELECT i.identifier_id, t.type, i.profile_id, i.first_seen_at, i.is_quarantined
FROM identity.identifiers AS i
JOIN identity.types AS t ON t.code = i.type;

CREATE OR REPLACE VIEW tutti.fct_identity_changes AS
SELECT c.version, c.identifier_id, t.type, c.from_profile_id, c.to_profile_id, c.changed_at, c.cause,
       nullif(c.cause_id, '00000000-0000-0000-0000-000000000000') AS cause_touchpoint_id, c.changed_at AS loaded_at,
       c.version % 2 = 1 AS is_shared, c.policy_version, o.actor, o.reason
FROM identity.changes AS c
LEFT JOIN identity.identifiers AS i USING (identifier_id)
LEFT JOIN identity.types AS t ON t.code = i.type
LEFT JOIN LATERAL (
    SELECT actor, reason
    FROM identity.manual_evidence
    WHERE version = c.version - c.version % 2
    ORDER BY id
    LIMIT 1
) AS o ON true;

CREATE VIEW tutti.fct_identity_links AS
SELECT l.a, l.b, ta.type AS type_a, tb.type AS type_b, l.first_seen_at, l.evidence, tutti_meta.refusal_name(l.refused_by) AS refused_by,
       l.loaded_at
FROM identity.links AS l
JOIN identity.identifiers AS ia ON ia.identifier_id = l.a
JOIN identity.types AS ta ON ta.code = ia.type
JOIN identity.identifiers AS ib ON ib.identifier_id = l.b
JOIN identity.types AS tb ON tb.code = ib.type;

CREATE VIEW tutti.fct_identity_orders AS
SELECT id AS order_id, kind, a, b, actor, reason, made_at, version, made_at AS loaded_at
FROM identity.manual_evidence;

COMMENT ON VIEW tutti.fct_identity_links IS 'Which identifiers were seen together, and which rule keeps them apart, if any (convergent).';
COMMENT ON VIEW tutti.fct_identity_orders IS 'What operators ordered: links, cuts and releases from quarantine (chronicle).';
COMMENT ON COLUMN tutti.dim_profiles.is_shared IS 'Its only identifier is in quarantine: listed, but in no journey and no figure (convergent).';
COMMENT ON COLUMN tutti.dim_identifiers.is_quarantined IS 'Links nothing because too many others use it (convergent).';
COMMENT ON COLUMN tutti.fct_identity_changes.version IS 'One per transaction that moved identifiers; one more where the new profile is shared (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.cause IS 'touchpoint, operator or policy (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.is_shared IS 'It went into quarantine (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.policy_version IS 'Version of the identity policy (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.actor IS 'Operator who ordered it; null where none did (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_changes.reason IS 'Reason they gave (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_links.a IS 'The smaller identifier id (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.b IS 'The larger identifier id (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.type_a IS 'Type of a (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.type_b IS 'Type of b (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.first_seen_at IS 'Earliest time of a touchpoint with both (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.evidence IS 'That touchpoint (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.refused_by IS 'pair, quarantine, cut, unique, limit or max_identifiers; null: both are one customer (convergent).';
COMMENT ON COLUMN tutti.fct_identity_links.loaded_at IS 'When it was stored first (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.order_id IS 'Running number; for a pair the newest link or cut counts (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.kind IS 'link, cut or release (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.a IS 'An identifier (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.b IS 'The other identifier; null for a release (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.actor IS 'Who ordered it (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.reason IS 'Why (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.made_at IS 'When (chronicle).';
COMMENT ON COLUMN tutti.fct_identity_orders.version IS 'Version of the identity change it led to; null if nothing moved (chronicle).';
GRANT SELECT ON tutti.fct_identity_links, tutti.fct_identity_orders TO tutti_reader;

-- migrate:down
DROP VIEW tutti.fct_identity_orders, tutti.fct_identity_links, tutti.fct_identity_changes, tutti.dim_identifiers, tutti.dim_profiles;
DROP FUNCTION tutti_meta.refusal_name;
DROP TABLE identity.erased, identity.raw_values, identity.policies, identity.manual_evidence, identity.lock_stripes;
REVOKE USAGE ON SCHEMA identity FROM tutti_pii;
ALTER TABLE identity.changes DROP COLUMN policy_version;
ALTER TABLE identity.links DROP COLUMN refused_by, DROP COLUMN loaded_at;
ALTER TABLE identity.identifiers DROP COLUMN is_quarantined;
UPDATE identity.identifiers SET version = version / 2;
UPDATE identity.changes SET version = version / 2;
UPDATE journey.anchors SET version = version / 2;
UPDATE suppression.anchors SET version = version / 2;
COMMENT ON COLUMN identity.identifiers.version IS 'Version of the last change of profile_id, 0 = never changed (chronicle).';
COMMENT ON COLUMN identity.changes.version IS 'One per transaction that moved identifiers.';
COMMENT ON COLUMN identity.changes.cause IS 'touchpoint or operator.';
COMMENT ON COLUMN identity.changes.cause_id IS 'event_id of a touchpoint of the batch that caused it.';

CREATE TABLE identity.profiles (
    profile_id uuid PRIMARY KEY
);
INSERT INTO identity.profiles (profile_id) SELECT identifier_id FROM identity.identifiers;
COMMENT ON TABLE identity.profiles IS 'Lock rows, one per id that may name a profile; never deleted (chronicle).';
COMMENT ON COLUMN identity.profiles.profile_id IS 'An identifier id.';
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.profiles TO tutti_identity;

CREATE VIEW tutti.dim_profiles AS
SELECT i.profile_id,
       c.first_seen_at,
       c.last_seen_at,
       CASE WHEN c.exit_at <= tutti.as_of() THEN NULL ELSE tutti_meta.stage_name(c.stage) END AS stage,
       CASE WHEN c.exit_at <= tutti.as_of() THEN c.exit_at ELSE c.stage_since_at END AS stage_since_at,
       tutti_meta.status_name(CASE WHEN c.lapsed_at <= tutti.as_of() THEN 3 WHEN c.at_risk_at <= tutti.as_of() THEN 2 ELSE c.status END)
           AS status,
       i.is_identified,
       i.identifier_count,
       coalesce(c.order_count, 0) AS order_count,
       (coalesce(c.revenue_micros, 0) * 0.000001)::numeric(20, 6) AS revenue,
       (coalesce(c.margin_micros, 0) * 0.000001)::numeric(20, 6) AS margin,
       d.value AS currency,
       c.last_order_at,
       c.last_score::smallint AS last_score,
       tutti.as_of() AS facets_as_of_at
FROM (
    SELECT m.profile_id, bool_or(t.is_unique) AS is_identified, count(*)::integer AS identifier_count
    FROM identity.identifiers AS m
    JOIN identity.types AS t ON t.code = m.type
    GROUP BY m.profile_id
) AS i
LEFT JOIN journey.current_states AS c ON c.profile = tutti_meta.short_key(i.profile_id)
LEFT JOIN journey.dictionary AS d ON d.code = c.currency;

CREATE VIEW tutti.dim_identifiers AS
SELECT i.identifier_id, t.type, i.profile_id, i.first_seen_at, false AS is_quarantined
FROM identity.identifiers AS i
JOIN identity.types AS t ON t.code = i.type;

CREATE VIEW tutti.fct_identity_changes AS
SELECT c.version, c.identifier_id, t.type, c.from_profile_id, c.to_profile_id, c.changed_at, c.cause,
       nullif(c.cause_id, '00000000-0000-0000-0000-000000000000') AS cause_touchpoint_id, c.changed_at AS loaded_at
FROM identity.changes AS c
LEFT JOIN identity.identifiers AS i USING (identifier_id)
LEFT JOIN identity.types AS t ON t.code = i.type;

GRANT SELECT ON tutti.dim_profiles, tutti.dim_identifiers, tutti.fct_identity_changes TO tutti_reader;
