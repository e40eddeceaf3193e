-- migrate:up
-- The public views. What every column means exactly stands in docs/figures.md.

-- ---------------------------------------------------------------------------------------------- helpers
CREATE FUNCTION tutti_meta.stage_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['inquiry', 'consideration', 'purchase', 'onboarding', 'retention', 'loyalty', 'advocacy'])[code];
CREATE FUNCTION tutti_meta.status_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['active', 'at_risk', 'lapsed', 'won_back'])[code];
CREATE FUNCTION tutti_meta.model_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['first_touch', 'last_touch', 'linear'])[code];
-- The first 8 bytes of an id, as journey keys it.
CREATE FUNCTION tutti_meta.short_key(id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || left(replace(id::text, '-', ''), 16))::bit(64)::bigint;
-- An id with its last byte changed: the row of a deadline that the touch set.
CREATE FUNCTION tutti_meta.id_xor(id uuid, bits integer) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(set_byte(uuid_send(id), 15, get_byte(uuid_send(id), 15) # bits), 'hex')::uuid;
-- ISO 8601 duration as exact time: a day has 24 hours, a year 365 days.
CREATE FUNCTION tutti_meta.duration(iso text) RETURNS interval LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN make_interval(secs => ((extract(year FROM iso::interval) * 365 + extract(day FROM iso::interval)) * 86400
        + extract(hour FROM iso::interval) * 3600 + extract(minute FROM iso::interval) * 60
        + extract(second FROM iso::interval))::double precision);
-- Part i (from 0) of a total divided among n: towards zero, the rest one unit each to the earliest.
CREATE FUNCTION tutti_meta.credit_part(total bigint, n integer, i integer) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN total / n + CASE WHEN i < abs(total % n) THEN sign(total)::bigint ELSE 0 END;

-- OFFSET 0: read once per query, never once per row.
CREATE VIEW tutti_meta.active AS
SELECT number,
       coalesce(policies -> 'journey.json' ->> 'reporting_timezone', 'UTC') AS zone,
       tutti_meta.duration(coalesce(policies -> 'journey.json' ->> 'session', 'PT30M')) AS session,
       tutti_meta.duration(policies #>> '{journey.json,status,at_risk,after}') AS at_risk_after,
       tutti_meta.duration(coalesce(policies #>> '{journey.json,status,lapsed,after}', 'P365D')) AS lapsed_after,
       array_position(ARRAY['first_touch', 'last_touch', 'linear'],
                      coalesce(policies #>> '{journey.json,attribution,stored_model}', 'linear')) AS stored_model,
       (tutti.as_of() AT TIME ZONE coalesce(policies -> 'journey.json' ->> 'reporting_timezone', 'UTC'))::date AS today
FROM tutti_meta.generations
WHERE is_active
OFFSET 0;
COMMENT ON VIEW tutti_meta.active IS 'What the views need to know of the active policies (chronicle).';

CREATE VIEW tutti_meta.goals AS
WITH RECURSIVE goal AS (
    SELECT g.goal ->> 'id' AS goal_id, g.goal ->> 'parent' AS parent_goal_id, g.goal ->> 'title' AS title, g.goal ->> 'unit' AS unit,
           g.goal ->> 'measure' AS metric, (g.goal ->> 'target')::numeric AS target,
           coalesce((g.goal ->> 'credited')::boolean, false) AS is_credited,
           array_position(ARRAY['active', 'at_risk', 'lapsed', 'won_back'], g.goal ->> 'status') AS status
    FROM tutti_meta.generations AS a, jsonb_array_elements(a.policies -> 'goals.json' -> 'goals') AS g (goal)
    WHERE a.is_active
), ladder AS (
    SELECT goal.*, 0 AS ladder_level FROM goal WHERE parent_goal_id IS NULL
    UNION ALL
    SELECT goal.*, ladder.ladder_level + 1 FROM goal JOIN ladder ON goal.parent_goal_id = ladder.goal_id WHERE ladder.ladder_level < 64
)
SELECT ladder.*, d.code AS goal FROM ladder LEFT JOIN journey.dictionary AS d ON d.value = ladder.goal_id;
COMMENT ON VIEW tutti_meta.goals IS 'The goals of the active policies, with their code and their level (0 = top) (chronicle).';

-- What a query for one profile starts from.
CREATE INDEX anchors_profile_id ON journey.anchors (profile_id);

CREATE VIEW journey.campaign_names AS
SELECT campaign_id, max(campaign_name COLLATE "C") AS campaign_name
FROM journey.shapes
WHERE campaign_id IS NOT NULL AND campaign_name <> ''
GROUP BY campaign_id;
COMMENT ON VIEW journey.campaign_names IS 'One name per campaign: the greatest that any touchpoint gave it (convergent).';

-- The header of the packed state (services/journey-tracker/logic/journey.h), with the deadlines after the last inbound touch.
CREATE VIEW journey.current_states AS
SELECT u.*,
       CASE WHEN u.status NOT IN (2, 3) THEN u.last_inbound_at + (SELECT at_risk_after FROM tutti_meta.active) END AS at_risk_at,
       CASE WHEN u.status <> 3 THEN u.last_inbound_at + (SELECT lapsed_after FROM tutti_meta.active) END AS lapsed_at,
       u.last_inbound_at + interval '8760 hours' AS exit_at
FROM (
    SELECT profile, payload,
           get_byte(payload, 1) AS stage,
           get_byte(payload, 2) AS status,
           tutti_meta.be_int4(payload, 4) AS journey_number,
           tutti_meta.from_micros(tutti_meta.be_int8(payload, 8)) AS first_seen_at,
           tutti_meta.from_micros(tutti_meta.be_int8(payload, 16)) AS last_seen_at,
           tutti_meta.from_micros(tutti_meta.be_int8(payload, 24)) AS last_inbound_at,
           tutti_meta.be_uuid(payload, 32) AS last_inbound_id,
           tutti_meta.be_int8(payload, 48) AS last_inbound_anchor,
           tutti_meta.from_micros(tutti_meta.be_int8(payload, 56)) AS stage_since_at,
           tutti_meta.be_int4(payload, 72)::bigint & 4294967295 AS order_count,
           tutti_meta.be_int4(payload, 76) AS currency,
           tutti_meta.be_int8(payload, 80) AS revenue_micros,
           tutti_meta.be_int8(payload, 88) AS margin_micros,
           tutti_meta.from_micros(tutti_meta.be_int8(payload, 96)) AS last_order_at,
           nullif(tutti_meta.be_int2(payload, 104), -32768) AS last_score
    FROM journey.states
    WHERE generation = (SELECT number FROM tutti_meta.active) AND octet_length(payload) >= 106
) AS u;
COMMENT ON VIEW journey.current_states IS 'States as columns, with what happens if nothing more comes (convergent).';

CREATE VIEW metrics.sums AS
SELECT k.cell, k.family, date '1970-01-01' + k.period AS period, k.d0, k.d1, k.d2, k.d3, k.d4, k.d5, k.d6, k.d7,
       sum(c.v0) AS v0, sum(c.v1) AS v1, sum(c.v2) AS v2, sum(c.v3) AS v3, sum(c.v4) AS v4, sum(c.v5) AS v5, sum(c.v6) AS v6,
       max(c.updated_at) AS updated_at
FROM metrics.cell_keys AS k
JOIN metrics.cells AS c USING (cell)
GROUP BY k.cell;
COMMENT ON VIEW metrics.sums IS 'Cells over all lanes (convergent, but codes and updated_at).';

-- ---------------------------------------------------------------------------------------------- people
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

CREATE VIEW tutti.dim_profile_aliases AS
SELECT identifier_id AS profile_id, profile_id AS current_profile_id
FROM identity.identifiers;

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

-- ---------------------------------------------------------------------------------------------- touchpoints
CREATE VIEW tutti.fct_touchpoints AS
SELECT t.event_id AS touchpoint_id, t.source, t.message_id, t.profile_id, t.occurred_at, t.received_at,
       t.local_at::date AS occurred_date,
       extract(hour FROM t.local_at)::smallint AS local_hour,
       extract(dow FROM t.local_at)::smallint AS local_weekday,
       t.direction, t.channel, t.network, t.department, t.purpose, t.contact_class, t.event AS event_name, t.touch_kind,
       t.campaign_id, n.campaign_name, t.content_id, t.product_id, t.product_category, t.location_id, t.agent_id, t.order_id,
       t.device_type, t.country,
       CASE WHEN t.is_inbound
           THEN count(*) FILTER (WHERE t.opens_session) OVER (PARTITION BY t.profile_id, t.is_inbound ORDER BY t.occurred_at, t.event_id, t.anchor)::integer
       END AS session_number,
       t.score, t.score_kind,
       (t.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       (t.margin_micros * 0.000001)::numeric(20, 6) AS margin,
       (t.cost_micros * 0.000001)::numeric(20, 6) AS cost,
       t.currency,
       t.is_goal_event AND (NOT t.needs_value OR coalesce(t.value_micros, 0) > 0) AS is_goal,
       coalesce(t.received_at > t.occurred_at + interval '24 hours', false) AS is_late,
       t.event = 'Contact Sent' AND t.decision_id IS NULL AS is_unasked,
       t.loaded_at
FROM (
    SELECT d.*,
           coalesce(d.occurred_at > lag(d.occurred_at) OVER (PARTITION BY d.profile_id, d.is_inbound ORDER BY d.occurred_at, d.event_id, d.anchor)
                                    + (SELECT session FROM tutti_meta.active), true) AS opens_session
    FROM (
        SELECT a.profile_id, f.anchor, f.occurred_at, f.event_id, f.received_at, f.value_micros, f.margin_micros, f.cost_micros, f.score,
               f.message_id, f.order_id, f.content_id, f.product_id, f.location_id, f.agent_id, f.decision_id, f.loaded_at,
               s.source, s.event, s.channel, s.network, s.department, s.purpose, s.contact_class, s.touch_kind, s.campaign_id,
               s.product_category, s.device_type, s.country, s.score_kind, s.currency, s.is_goal_event, s.needs_value,
               f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active) AS local_at,
               w.direction,
               coalesce(w.direction = 'inbound' AND s.event NOT IN ('Contact Requested', 'Contact Failed', 'Contact Cancelled'), false)
                   AS is_inbound
        FROM journey.facts AS f
        JOIN journey.anchors AS a USING (anchor)
        JOIN journey.shapes AS s USING (shape)
        CROSS JOIN LATERAL (
            SELECT CASE
                       WHEN s.direction IN ('inbound', 'outbound') THEN s.direction
                       WHEN s.type IN ('identify', 'alias', 'group', 'merge') THEN NULL
                       WHEN s.event = 'Campaign Sent' OR s.event LIKE 'Contact %' THEN 'outbound'
                       ELSE 'inbound'
                   END AS direction
        ) AS w
    ) AS d
) AS t
LEFT JOIN journey.campaign_names AS n USING (campaign_id);

CREATE VIEW tutti.fct_unidentified_touchpoints AS
SELECT event_id AS touchpoint_id, source, message_id, occurred_at, received_at,
       (occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS occurred_date,
       direction, channel, department, purpose, event_name, loaded_at
FROM identity.unidentified_touchpoints;

-- ---------------------------------------------------------------------------------------------- journeys
CREATE VIEW tutti.fct_stage_changes AS
SELECT r.stage_change_id, r.profile_id, r.journey_number, r.changed_at,
       tutti_meta.stage_name(r.from_stage) AS from_stage,
       tutti_meta.stage_name(r.to_stage) AS to_stage,
       tutti_meta.status_name(r.from_status) AS from_status,
       tutti_meta.status_name(r.to_status) AS to_status,
       (ARRAY['rule', 'inactivity', 'exit'])[r.reason] AS reason,
       r.touchpoint_id, r.seconds_in_stage, r.loaded_at
FROM (
    SELECT a.profile_id, s.stage_change_id, s.journey_number, s.changed_at, s.from_stage::integer, s.to_stage::integer,
           s.from_status::integer, s.to_status::integer, s.reason::integer, s.touchpoint_id, s.seconds_in_stage, s.loaded_at
    FROM journey.stage_changes AS s
    JOIN journey.anchors AS a USING (anchor)
    WHERE s.changed_at <= tutti.as_of()
    UNION ALL
    -- What the deadlines after the last inbound touch did, which no row says yet.
    SELECT a.profile_id, tutti_meta.id_xor(c.last_inbound_id, t.bits), c.journey_number, t.changed_at, c.stage, t.to_stage,
           t.from_status, t.to_status, t.reason, c.last_inbound_id,
           floor(extract(epoch FROM t.changed_at - c.stage_since_at))::bigint, t.changed_at
    FROM journey.current_states AS c
    JOIN journey.anchors AS a ON a.anchor = c.last_inbound_anchor AND a.profile = c.profile
    CROSS JOIN LATERAL (VALUES
        (1, c.at_risk_at, c.stage, c.status, 2, 2),
        (2, c.lapsed_at, c.stage, CASE WHEN c.at_risk_at IS NULL THEN c.status ELSE 2 END, 3, 2),
        (3, c.exit_at, 0, 3, 3, 3)
    ) AS t (bits, changed_at, to_stage, from_status, to_status, reason)
    WHERE t.changed_at <= tutti.as_of()
) AS r;

CREATE VIEW tutti.fct_conversions AS
SELECT c.event_id AS conversion_id, g.value AS goal_id, a.profile_id, c.event_id AS touchpoint_id, c.occurred_at AS converted_at,
       (c.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS conversion_date,
       s.department, s.channel, f.location_id, s.product_category, f.order_id,
       (f.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       (f.margin_micros * 0.000001)::numeric(20, 6) AS margin,
       s.currency, c.is_first,
       tutti_meta.stage_name(c.stage_before) AS stage_before,
       c.touch_count AS eligible_touch_count,
       CASE WHEN c.touch_count > 0
           THEN round((extract(epoch FROM c.occurred_at) * 1000000 - tutti_meta.be_int8(c.touches, 16)) / 86400000000, 6)
       END AS days_from_first_touch,
       (SELECT string_agg((SELECT h.channel FROM journey.shapes AS h WHERE h.shape = tutti_meta.be_int4(c.touches, i * 28 + 24)), ' > ' ORDER BY i)
        FROM generate_series(greatest(c.touch_count - 20, 0), c.touch_count - 1) AS i) AS path,
       c.loaded_at
FROM journey.conversions AS c
JOIN journey.anchors AS a USING (anchor)
JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s USING (shape)
JOIN journey.dictionary AS g ON g.code = c.goal;

CREATE VIEW tutti.fct_attributions AS
SELECT r.event_id AS conversion_id,
       coalesce(r.touchpoint_id, '00000000-0000-0000-0000-000000000000') AS touchpoint_id,
       r.model, g.value AS goal_id, r.profile_id, r.occurred_at AS converted_at, tutti_meta.from_micros(r.touched_us) AS touched_at,
       r.touch_position, r.touch_count AS path_length,
       ((extract(epoch FROM r.occurred_at) * 1000000)::bigint - r.touched_us) / 1000000 AS seconds_before,
       CASE WHEN r.touch_count = 0 THEN '(unattributed)' ELSE t.channel END AS touch_channel,
       t.department AS touch_department, t.purpose AS touch_purpose, t.campaign_id, n.campaign_name,
       s.department AS conversion_department,
       (tutti_meta.credit_part(1000000, r.parts, r.part) * 0.000001)::numeric(9, 6) AS credit,
       (tutti_meta.credit_part(r.value_micros, r.parts, r.part) * 0.000001)::numeric(20, 6) AS attributed_revenue,
       (tutti_meta.credit_part(r.margin_micros, r.parts, r.part) * 0.000001)::numeric(20, 6) AS attributed_margin,
       s.currency, r.loaded_at
FROM (
    SELECT c.event_id, c.occurred_at, c.goal, c.touch_count, c.loaded_at, a.profile_id, f.shape, f.value_micros, f.margin_micros, m.model,
           CASE WHEN m.model = 'linear' THEN greatest(c.touch_count, 1) ELSE 1 END AS parts,
           CASE WHEN m.model = 'linear' THEN i ELSE 0 END AS part,
           CASE WHEN c.touch_count > 0 THEN i + 1 ELSE 0 END AS touch_position,
           CASE WHEN c.touch_count > 0 THEN tutti_meta.be_uuid(c.touches, i * 28) END AS touchpoint_id,
           CASE WHEN c.touch_count > 0 THEN tutti_meta.be_int8(c.touches, i * 28 + 16) END AS touched_us,
           CASE WHEN c.touch_count > 0 THEN tutti_meta.be_int4(c.touches, i * 28 + 24) END AS touch_shape
    FROM journey.conversions AS c
    JOIN journey.anchors AS a USING (anchor)
    JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
    CROSS JOIN LATERAL generate_series(0, greatest(c.touch_count, 1) - 1) AS i
    CROSS JOIN LATERAL (VALUES ('first_touch', 0), ('last_touch', greatest(c.touch_count, 1) - 1), ('linear', i)) AS m (model, credited)
    WHERE m.credited = i
) AS r
JOIN journey.shapes AS s ON s.shape = r.shape
JOIN journey.dictionary AS g ON g.code = r.goal
LEFT JOIN journey.shapes AS t ON t.shape = r.touch_shape
LEFT JOIN journey.campaign_names AS n ON n.campaign_id = t.campaign_id;

-- ---------------------------------------------------------------------------------------------- reports
CREATE VIEW tutti.rpt_attributions_daily AS
SELECT c.period AS conversion_date, g.value AS goal_id, tutti_meta.model_name(c.d1) AS model, '(all)'::text AS segment_id,
       CASE WHEN c.d2 = 0 THEN '(unattributed)' ELSE channel.value END AS touch_channel,
       CASE WHEN c.d2 = 0 THEN '(unattributed)' ELSE coalesce(department.value, '(none)') END AS touch_department,
       CASE WHEN c.d2 = 0 THEN '(unattributed)' ELSE coalesce(purpose.value, '(none)') END AS touch_purpose,
       CASE WHEN c.d2 = 0 THEN NULL ELSE coalesce(campaign.value, '(none)') END AS campaign_id,
       n.campaign_name,
       coalesce(own.value, '(none)') AS conversion_department,
       currency.value AS currency,
       (c.v0 * 0.000001)::numeric(20, 6) AS attributed_conversions,
       (c.v1 * 0.000001)::numeric(20, 6) AS attributed_revenue,
       (c.v2 * 0.000001)::numeric(20, 6) AS attributed_margin,
       c.v3::bigint AS touches
FROM metrics.sums AS c
JOIN journey.dictionary AS g ON g.code = c.d0
LEFT JOIN journey.dictionary AS channel ON channel.code = c.d2
LEFT JOIN journey.dictionary AS department ON department.code = c.d3
LEFT JOIN journey.dictionary AS purpose ON purpose.code = c.d4
LEFT JOIN journey.dictionary AS campaign ON campaign.code = c.d5
LEFT JOIN journey.dictionary AS own ON own.code = c.d6
LEFT JOIN journey.dictionary AS currency ON currency.code = c.d7
LEFT JOIN journey.campaign_names AS n ON n.campaign_id = campaign.value
WHERE c.family = 3 AND c.period <= (SELECT today FROM tutti_meta.active) AND c.v0 <> 0;

CREATE VIEW tutti.rpt_shared_goals_daily AS
WITH goals AS MATERIALIZED (
    SELECT * FROM tutti_meta.goals
), counted AS MATERIALIZED (
    SELECT g.goal_id, g.is_credited, c.period, c.d1 AS department, c.d2 AS channel, c.d3 AS currency,
           CASE WHEN g.metric = 'count' THEN c.v0 * 1000000 ELSE c.v1 END AS micros, c.updated_at
    FROM metrics.sums AS c
    JOIN goals AS g ON g.goal = c.d0
    WHERE c.family = 1 AND c.v0 <> 0
), parts AS MATERIALIZED (
    SELECT goal_id, is_credited, period, currency, department, channel, micros AS own, 0::numeric AS assisted, updated_at
    FROM counted
    WHERE NOT is_credited
    UNION ALL
    SELECT g.goal_id, true, c.period, c.d7, c.d3, c.d2, sum(c.v1) FILTER (WHERE c.d3 = c.d6), sum(c.v1) FILTER (WHERE c.d3 <> c.d6),
           max(c.updated_at)
    FROM metrics.sums AS c
    JOIN goals AS g ON g.goal = c.d0
    WHERE c.family = 3 AND c.d1 = (SELECT stored_model FROM tutti_meta.active) AND c.d2 <> 0 AND c.v1 <> 0 AND g.is_credited AND g.status IS NULL
    GROUP BY g.goal_id, c.period, c.d7, c.d3, c.d2
), totals AS MATERIALIZED (
    SELECT goal_id, is_credited, period, currency, sum(micros) AS micros, sum(own) AS own, sum(assisted) AS assisted,
           max(updated_at) AS updated_at
    FROM (
        SELECT goal_id, is_credited, period, currency, micros, 0::numeric AS own, 0::numeric AS assisted, updated_at FROM counted
        UNION ALL
        SELECT goal_id, is_credited, period, currency, 0, coalesce(own, 0), coalesce(assisted, 0), updated_at FROM parts
    ) AS both_sides
    GROUP BY goal_id, is_credited, period, currency
), customers AS MATERIALIZED (
    SELECT g.goal_id, c.period, c.v0::bigint AS customers
    FROM metrics.sums AS c
    JOIN goals AS g ON g.goal = c.d0
    WHERE c.family = 2
), statuses AS (
    SELECT g.goal_id, g.metric, c.period, c.updated_at, c.v1 AS entries,
           sum(c.v0) OVER (PARTITION BY g.goal_id ORDER BY c.period) AS stock
    FROM metrics.sums AS c
    JOIN goals AS g ON g.status = c.d0
    WHERE c.family = 5 AND CASE g.metric WHEN 'stock' THEN c.v0 ELSE c.v1 END <> 0
), shown AS (
    SELECT t.goal_id, t.period, '(all)' AS department, '(all)' AS channel, t.currency, t.micros, t.own, t.assisted,
           coalesce(k.customers, 0) AS customers, t.updated_at
    FROM totals AS t
    LEFT JOIN customers AS k USING (goal_id, period)
    WHERE t.micros <> 0 OR k.customers <> 0
    UNION ALL
    SELECT goal_id, period, '(unattributed)', '(unattributed)', currency, micros - own - assisted, 0, 0, NULL, updated_at
    FROM totals
    WHERE is_credited AND micros <> own + assisted
    UNION ALL
    SELECT p.goal_id, p.period, coalesce(department.value, '(none)'), coalesce(channel.value, '(none)'), p.currency,
           coalesce(p.own, 0) + coalesce(p.assisted, 0), coalesce(p.own, 0), coalesce(p.assisted, 0), NULL, p.updated_at
    FROM parts AS p
    LEFT JOIN journey.dictionary AS department ON department.code = p.department
    LEFT JOIN journey.dictionary AS channel ON channel.code = p.channel
    WHERE coalesce(p.own, 0) + coalesce(p.assisted, 0) <> 0
    UNION ALL
    SELECT goal_id, period, '(all)', '(all)', 0, 1000000 * CASE metric WHEN 'stock' THEN stock ELSE entries END, 0, 0, NULL, updated_at
    FROM statuses
)
SELECT s.period AS goal_date, s.goal_id, g.parent_goal_id, g.ladder_level::smallint AS ladder_level, '(all)'::text AS segment_id,
       s.department, s.channel, g.metric, g.unit, currency.value AS currency,
       (s.micros * 0.000001)::numeric(20, 6) AS value,
       (s.own * 0.000001)::numeric(20, 6) AS own_value,
       (s.assisted * 0.000001)::numeric(20, 6) AS assisted_value,
       s.customers, g.target,
       CASE WHEN s.updated_at >= (s.period + 1)::timestamp AT TIME ZONE (SELECT zone FROM tutti_meta.active) THEN s.updated_at END
           AS last_corrected_at
FROM shown AS s
JOIN goals AS g USING (goal_id)
LEFT JOIN journey.dictionary AS currency ON currency.code = s.currency
WHERE s.period <= (SELECT today FROM tutti_meta.active);

CREATE VIEW tutti.rpt_journey_map AS
SELECT c.period AS period_start_date, '(all)'::text AS segment_id,
       coalesce(tutti_meta.stage_name(c.d0), '(none)') AS stage,
       coalesce(one.value, '(start)') AS from_kind,
       coalesce(two.value, '(exit)') AS to_kind,
       coalesce(one_department.value, '(none)') AS from_department,
       coalesce(two_department.value, '(none)') AS to_department,
       c.v0::bigint AS transitions,
       (c.v1 * 0.001)::numeric(20, 6) AS wait_seconds_sum,
       c.v2::bigint AS wait_le_1h, c.v3::bigint AS wait_le_1d, c.v4::bigint AS wait_le_7d, c.v5::bigint AS wait_le_30d,
       c.v6::bigint AS wait_over_30d
FROM metrics.sums AS c
LEFT JOIN journey.dictionary AS one ON one.code = c.d1
LEFT JOIN journey.dictionary AS two ON two.code = c.d2
LEFT JOIN journey.dictionary AS one_department ON one_department.code = c.d3
LEFT JOIN journey.dictionary AS two_department ON two_department.code = c.d4
WHERE c.family = 4 AND c.period <= (SELECT today FROM tutti_meta.active) AND (c.v0 <> 0 OR c.v1 <> 0);

-- ---------------------------------------------------------------------------------------------- what they say
COMMENT ON VIEW tutti.dim_profiles IS 'Customers: one row per profile of the identity map, with stage and status as of tutti.as_of() (convergent).';
COMMENT ON VIEW tutti.dim_profile_aliases IS 'Every id that ever named a profile, with today''s profile (convergent).';
COMMENT ON VIEW tutti.dim_identifiers IS 'Identifiers as keyed hashes, never raw values (convergent).';
COMMENT ON VIEW tutti.dim_identifier_history IS 'Which profile an identifier was in at what time, as it was known (chronicle).';
COMMENT ON VIEW tutti.fct_identity_changes IS 'Identifiers that moved between profiles: people joined or renamed (chronicle).';
COMMENT ON VIEW tutti.fct_touchpoints IS 'Every distinct identified touchpoint, under today''s profile (convergent).';
COMMENT ON VIEW tutti.fct_unidentified_touchpoints IS 'Touchpoints without a usable identifier: counted, in no profile and in no journey (convergent).';
COMMENT ON VIEW tutti.fct_stage_changes IS 'Changes of stage or status up to tutti.as_of() (convergent).';
COMMENT ON VIEW tutti.fct_conversions IS 'Conversions by the active policies (convergent).';
COMMENT ON VIEW tutti.fct_attributions IS 'Which touch gets how much credit for a conversion, by model; a conversion''s rows of one model add up to it (convergent).';
COMMENT ON VIEW tutti.rpt_attributions_daily IS 'Credit by day, goal, model and kind of touch (convergent).';
COMMENT ON VIEW tutti.rpt_shared_goals_daily IS 'Goals by day; own + assisted + unattributed = total of a credited goal (convergent).';
COMMENT ON VIEW tutti.rpt_journey_map IS 'How customers move from touch to touch, by month (convergent).';

-- Columns by name, or by view and name where the meaning differs. A column without an entry stays uncommented, and a test fails.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.relname AS view, a.attname AS name, coalesce(own.says, every.says) AS says
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        CROSS JOIN LATERAL (SELECT c.relname || '.' || a.attname AS whole) AS w
        LEFT JOIN (VALUES
            ('dim_profiles.profile_id', 'Id of the customer today: the identifier of theirs that was seen first (convergent).'),
            ('dim_profile_aliases.profile_id', 'An id that names or once named a profile (convergent).'),
            ('dim_identifier_history.profile_id', 'Profile during the interval (chronicle).'),
            ('dim_identifier_history.identifier_id', 'Keyed hash of type and normalised value (chronicle).'),
            ('fct_identity_changes.identifier_id', 'The identifier that moved (chronicle).'),
            ('fct_identity_changes.type', 'Its type (chronicle).'),
            ('fct_identity_changes.changed_at', 'When it was found out (chronicle).'),
            ('dim_identifiers.type', 'Type of the identifier, as the identity policy names it (convergent).'),
            ('dim_identifiers.first_seen_at', 'Earliest time of a touchpoint with it (convergent).'),
            ('dim_profiles.revenue', 'Sum of the conversions in currency (convergent).'),
            ('dim_profiles.margin', 'Sum of the margin of the conversions in currency (convergent).'),
            ('dim_profiles.currency', 'ISO 4217 code of the last conversion (convergent).'),
            ('dim_profiles.status', 'active, at_risk, lapsed or won_back (convergent).'),
            ('dim_profiles.stage', 'Stage of the present journey; null if it has ended or none began (convergent).'),
            ('fct_touchpoints.channel', 'Channel as sent (convergent).'),
            ('fct_touchpoints.currency', 'ISO 4217 code (convergent).'),
            ('fct_unidentified_touchpoints.channel', 'Channel as sent (convergent).'),
            ('fct_stage_changes.touchpoint_id', 'The touch, or the last inbound touch before a deadline (convergent).'),
            ('fct_stage_changes.changed_at', 'Time of the touch, or of the deadline (convergent).'),
            ('fct_stage_changes.loaded_at', 'When it was stored; of a deadline, when it passed (chronicle).'),
            ('fct_identity_changes.loaded_at', 'When it was stored (chronicle).'),
            ('fct_attributions.touchpoint_id', 'The credited touch; the nil uuid where there is none (convergent).'),
            ('fct_attributions.conversion_department', 'Department that converted (convergent).'),
            ('rpt_attributions_daily.conversion_department', 'Department that converted, or (none) (convergent).'),
            ('fct_attributions.touch_department', 'Department of the credited touch (convergent).'),
            ('rpt_attributions_daily.touch_department', 'Department of the credited touch, (none) or (unattributed) (convergent).'),
            ('fct_attributions.touch_purpose', 'Purpose of the credited touch (convergent).'),
            ('rpt_attributions_daily.touch_purpose', 'Purpose of the credited touch, (none) or (unattributed) (convergent).'),
            ('rpt_attributions_daily.campaign_id', 'Campaign of the credited touch, or (none); null where unattributed (convergent).'),
            ('rpt_journey_map.stage', 'Stage before the step, or (none) (convergent).'),
            ('rpt_shared_goals_daily.department', 'Department; (all) = total, (unattributed) = the rest of a credited goal, (none) = absent (convergent).'),
            ('rpt_shared_goals_daily.channel', 'Channel; (all) = total, (unattributed) = the rest of a credited goal (convergent).'),
            ('rpt_shared_goals_daily.currency', 'ISO 4217 code; null for counts and customers (convergent).')
        ) AS own (name, says) ON own.name = w.whole
        LEFT JOIN (VALUES
            ('first_seen_at', 'Time of the first touchpoint (convergent).'),
            ('last_seen_at', 'Time of the last touchpoint (convergent).'),
            ('stage_since_at', 'Time of the last change of stage, the end of the journey included (convergent).'),
            ('is_identified', 'Has an identifier of a unique type, such as a user id (convergent).'),
            ('identifier_count', 'Number of identifiers (convergent).'),
            ('order_count', 'Number of touches that match a conversion rule, whatever their value (convergent).'),
            ('last_order_at', 'The last of them (convergent).'),
            ('last_score', 'Score of the last touchpoint with one, -100 to 100 (convergent).'),
            ('facets_as_of_at', 'The moment that stage and status are shown for: tutti.as_of() (chronicle).'),
            ('current_profile_id', 'The profile it leads to today (convergent).'),
            ('identifier_id', 'Keyed hash of type and normalised value (convergent).'),
            ('is_quarantined', 'Links nothing because too many others use it; no rule of this version does that, so it is false (convergent).'),
            ('version', 'One per transaction that moved identifiers (chronicle).'),
            ('from_profile_id', 'Profile before (chronicle).'),
            ('to_profile_id', 'Profile after (chronicle).'),
            ('cause', 'touchpoint or operator (chronicle).'),
            ('cause_touchpoint_id', 'A touchpoint that showed it (chronicle).'),
            ('valid_from_at', 'When it came to be known; null = from the beginning (chronicle).'),
            ('valid_to_at', 'When something else came to be known; null = still (chronicle).'),
            ('touchpoint_id', 'Hash of source and message_id (convergent).'),
            ('source', 'URI of the producing system (convergent).'),
            ('message_id', 'Id given by the producing system (convergent).'),
            ('profile_id', 'Today''s profile (convergent).'),
            ('occurred_at', 'When it happened (convergent).'),
            ('received_at', 'When the producing system received it (convergent).'),
            ('occurred_date', 'Its day in the reporting zone (convergent).'),
            ('local_hour', 'Hour of the day, 0 to 23, in the reporting zone (convergent).'),
            ('local_weekday', 'Day of the week, 0 = Sunday, in the reporting zone (convergent).'),
            ('direction', 'inbound, outbound or null (convergent).'),
            ('network', 'Search engine, site or ad network it came from (convergent).'),
            ('department', 'Unit that owns the touch (convergent).'),
            ('purpose', 'Purpose as sent: brand, acquisition, retention, cross_sell, recovery, service (convergent).'),
            ('contact_class', 'Class of the contact, such as marketing or service (convergent).'),
            ('event_name', 'Name of the event; the type where it has none (convergent).'),
            ('touch_kind', 'Node of the journey map (convergent).'),
            ('campaign_id', 'Campaign as sent (convergent).'),
            ('campaign_name', 'Name of the campaign: the greatest that any touchpoint gave it (convergent).'),
            ('content_id', 'Content, creative or coupon (convergent).'),
            ('product_id', 'Product (convergent).'),
            ('product_category', 'Product category (convergent).'),
            ('location_id', 'Store or branch (convergent).'),
            ('agent_id', 'Member of staff (convergent).'),
            ('order_id', 'Order (convergent).'),
            ('device_type', 'Kind of device (convergent).'),
            ('country', 'Country as sent (convergent).'),
            ('session_number', 'Number of the customer''s session, for inbound touches (convergent).'),
            ('score', 'Satisfaction, -100 to 100 (convergent).'),
            ('score_kind', 'csat, nps or ces (convergent).'),
            ('revenue', 'Value in currency (convergent).'),
            ('margin', 'Margin in currency (convergent).'),
            ('cost', 'Cost in currency (convergent).'),
            ('currency', 'ISO 4217 code of the conversion (convergent).'),
            ('is_goal', 'It is a conversion (convergent).'),
            ('is_late', 'It was received more than 24 hours after it happened (convergent).'),
            ('is_unasked', 'A contact that was sent without a decision (convergent).'),
            ('loaded_at', 'When it was stored first (chronicle).'),
            ('stage_change_id', 'Id of the touch, or of the deadline that it set (convergent).'),
            ('journey_number', 'Number of the customer''s journey; 365 days without an inbound touch end one (convergent).'),
            ('from_stage', 'Stage before; null at the start of a journey (convergent).'),
            ('to_stage', 'Stage after; null at its end (convergent).'),
            ('from_status', 'Status before; null at the first touch (convergent).'),
            ('to_status', 'Status after (convergent).'),
            ('reason', 'rule, inactivity or exit (convergent).'),
            ('seconds_in_stage', 'Whole seconds since the last change of stage in this journey (convergent).'),
            ('conversion_id', 'Id of the conversion: that of its touchpoint (convergent).'),
            ('goal_id', 'Goal of the policies (convergent).'),
            ('converted_at', 'Time of the conversion (convergent).'),
            ('conversion_date', 'Its day in the reporting zone (convergent).'),
            ('channel', 'Channel of the conversion (convergent).'),
            ('is_first', 'First conversion of the customer (convergent).'),
            ('stage_before', 'Stage that the conversion found (convergent).'),
            ('eligible_touch_count', 'Number of touches that share the credit; 0 = unattributed (convergent).'),
            ('days_from_first_touch', 'Days since the first of them (convergent).'),
            ('path', 'Channels of the last 20 of them, in order (convergent).'),
            ('model', 'first_touch, last_touch or linear (convergent).'),
            ('touched_at', 'Time of the credited touch (convergent).'),
            ('touch_position', 'Its place among the eligible touches, from 1; 0 = unattributed (convergent).'),
            ('path_length', 'Number of eligible touches (convergent).'),
            ('seconds_before', 'Whole seconds from the touch to the conversion (convergent).'),
            ('touch_channel', 'Channel of the credited touch, or (unattributed) (convergent).'),
            ('credit', 'Share of the conversion; adds up to 1 (convergent).'),
            ('attributed_revenue', 'Share of the revenue, to the micro-unit (convergent).'),
            ('attributed_margin', 'Share of the margin, to the micro-unit (convergent).'),
            ('segment_id', 'Segment; (all) = everybody (convergent).'),
            ('attributed_conversions', 'Sum of credit (convergent).'),
            ('touches', 'Number of credited touches (convergent).'),
            ('goal_date', 'Day in the reporting zone (convergent).'),
            ('parent_goal_id', 'Goal that it ladders up to (convergent).'),
            ('ladder_level', 'Steps up to the top goal, which is 0 (convergent).'),
            ('metric', 'count, value, margin_else_value, stock or entries (convergent).'),
            ('unit', 'Unit of the value (convergent).'),
            ('value', 'What the goal measures that day; of a stock, at the end of the day (convergent).'),
            ('own_value', 'Part by the department''s own touches (convergent).'),
            ('assisted_value', 'Part by touches of other departments than the one that converted (convergent).'),
            ('customers', 'Distinct customers with a touch that counts, that day: not additive (convergent).'),
            ('target', 'Target of the policies (convergent).'),
            ('last_corrected_at', 'Last change after the day was over (chronicle).'),
            ('period_start_date', 'First day of the month (convergent).'),
            ('from_kind', 'Touch that the step comes from, (start) or (conversion) (convergent).'),
            ('to_kind', 'Touch that it leads to, (conversion) or (exit) (convergent).'),
            ('from_department', 'Department of the one, or (none) (convergent).'),
            ('to_department', 'Department of the other, or (none) (convergent).'),
            ('transitions', 'Number of steps (convergent).'),
            ('wait_seconds_sum', 'Time between the two, summed up (convergent).'),
            ('wait_le_1h', 'Steps of at most an hour (convergent).'),
            ('wait_le_1d', 'Steps of at most a day, above an hour (convergent).'),
            ('wait_le_7d', 'Steps of at most 7 days, above a day (convergent).'),
            ('wait_le_30d', 'Steps of at most 30 days, above 7 days (convergent).'),
            ('wait_over_30d', 'Steps of more than 30 days (convergent).')
        ) AS every (name, says) ON every.name = a.attname
        WHERE c.relnamespace = 'tutti'::regnamespace AND c.relkind = 'v' AND coalesce(own.says, every.says) IS NOT NULL
            AND col_description(c.oid, a.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN tutti.%I.%I IS %L', found.view, found.name, found.says);
    END LOOP;
    -- Internal views: the columns speak for themselves beside the tables that they come from.
    FOR found IN
        SELECT n.nspname AS schema, c.relname AS view, a.attname AS name, obj_description(c.oid) AS says
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.oid IN ('tutti_meta.active'::regclass, 'tutti_meta.goals'::regclass, 'journey.campaign_names'::regclass,
                        'journey.current_states'::regclass, 'metrics.sums'::regclass)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', found.schema, found.view, found.name, 'See the view: ' || found.says);
    END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA tutti TO tutti_reader;

-- migrate:down
DROP VIEW tutti.rpt_journey_map, tutti.rpt_shared_goals_daily, tutti.rpt_attributions_daily, tutti.fct_attributions,
    tutti.fct_conversions, tutti.fct_stage_changes, tutti.fct_unidentified_touchpoints, tutti.fct_touchpoints,
    tutti.dim_identifier_history, tutti.fct_identity_changes, tutti.dim_identifiers, tutti.dim_profile_aliases, tutti.dim_profiles;
DROP VIEW metrics.sums, journey.current_states, journey.campaign_names, tutti_meta.goals, tutti_meta.active;
DROP INDEX journey.anchors_profile_id;
DROP FUNCTION tutti_meta.credit_part, tutti_meta.duration, tutti_meta.id_xor, tutti_meta.short_key, tutti_meta.model_name,
    tutti_meta.status_name, tutti_meta.stage_name;
