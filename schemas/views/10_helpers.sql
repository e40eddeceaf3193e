-- What the public views are made with: names of codes, packed bytes, the active policies, cells over all lanes.

-- The moment as of which dated figures are shown: `SET tutti.as_of = '2017-12-31T00:00:00Z'`, else now().
CREATE FUNCTION tutti.as_of() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('tutti.as_of', true), '')::timestamptz, now()) $$;
COMMENT ON FUNCTION tutti.as_of() IS 'The moment as of which dated figures are shown; settable per session.';

-- Big-endian numbers inside packed bytes; be_int8 stands in schemas/sql/0001_meta.sql.
CREATE FUNCTION tutti_meta.be_int4(packed bytea, at integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT ('x' || encode(substring(packed FROM at + 1 FOR 4), 'hex'))::bit(32)::integer $$;
CREATE FUNCTION tutti_meta.be_int2(packed bytea, at integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT get_byte(packed, at) * 256 + get_byte(packed, at + 1) - CASE WHEN get_byte(packed, at) > 127 THEN 65536 ELSE 0 END $$;
CREATE FUNCTION tutti_meta.be_uuid(packed bytea, at integer) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT encode(substring(packed FROM at + 1 FOR 16), 'hex')::uuid $$;
-- Microseconds since 1970 as a time; the smallest bigint means absent.
CREATE FUNCTION tutti_meta.from_micros(us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CASE WHEN us <> -9223372036854775808 THEN timestamptz 'epoch' + us * interval '1 microsecond' END $$;

CREATE FUNCTION tutti_meta.stage_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['inquiry', 'consideration', 'purchase', 'onboarding', 'retention', 'loyalty', 'advocacy'])[code];
CREATE FUNCTION tutti_meta.status_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['active', 'at_risk', 'lapsed', 'won_back'])[code];
CREATE FUNCTION tutti_meta.model_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['first_touch', 'last_touch', 'linear'])[code];
CREATE FUNCTION tutti_meta.refusal_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['pair', 'quarantine', 'cut', 'unique', 'limit', 'max_identifiers'])[code];

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
COMMENT ON COLUMN tutti_meta.active.number IS 'See the view: What the views need to know of the active policies (chronicle).';
COMMENT ON COLUMN tutti_meta.active.zone IS 'See the view: What the views need to know of the active policies (chronicle).';
COMMENT ON COLUMN tutti_meta.active.session IS 'See the view: What the views need to know of the active policies (chronicle).';
COMMENT ON COLUMN tutti_meta.active.at_risk_after IS 'See the view: What the views need to know of the active policies (chronicle).';
COMMENT ON COLUMN tutti_meta.active.lapsed_after IS 'See the view: What the views need to know of the active policies (chronicle).';
COMMENT ON COLUMN tutti_meta.active.stored_model IS 'See the view: What the views need to know of the active policies (chronicle).';
COMMENT ON COLUMN tutti_meta.active.today IS 'See the view: What the views need to know of the active policies (chronicle).';

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
COMMENT ON COLUMN tutti_meta.goals.goal_id IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.parent_goal_id IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.title IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.unit IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.metric IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.target IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.is_credited IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.status IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.ladder_level IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';
COMMENT ON COLUMN tutti_meta.goals.goal IS 'See the view: The goals of the active policies, with their code and their level (0 = top) (chronicle).';

CREATE VIEW journey.campaign_names AS
SELECT campaign_id, max(campaign_name COLLATE "C") AS campaign_name
FROM journey.shapes
WHERE campaign_id IS NOT NULL AND campaign_name <> ''
GROUP BY campaign_id;
COMMENT ON VIEW journey.campaign_names IS 'One name per campaign: the greatest that any touchpoint gave it (convergent).';
COMMENT ON COLUMN journey.campaign_names.campaign_id IS 'See the view: One name per campaign: the greatest that any touchpoint gave it (convergent).';
COMMENT ON COLUMN journey.campaign_names.campaign_name IS 'See the view: One name per campaign: the greatest that any touchpoint gave it (convergent).';

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
COMMENT ON COLUMN journey.current_states.profile IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.payload IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.stage IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.status IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.journey_number IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.first_seen_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.last_seen_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.last_inbound_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.last_inbound_id IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.last_inbound_anchor IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.stage_since_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.order_count IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.currency IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.revenue_micros IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.margin_micros IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.last_order_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.last_score IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.at_risk_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.lapsed_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.exit_at IS 'See the view: States as columns, with what happens if nothing more comes (convergent).';

CREATE VIEW metrics.sums AS
SELECT k.cell, k.family, date '1970-01-01' + k.period AS period, k.d0, k.d1, k.d2, k.d3, k.d4, k.d5, k.d6, k.d7,
       sum(c.v0) AS v0,
       CASE WHEN k.family IN (1, 3) THEN sum(c.v1) + sum(c.v6) * 4611686018427387904 ELSE sum(c.v1) END AS v1,
       CASE WHEN k.family IN (1, 3) THEN sum(c.v2) + sum(c.v7) * 4611686018427387904 ELSE sum(c.v2) END AS v2,
       sum(c.v3) AS v3, sum(c.v4) AS v4, sum(c.v5) AS v5, sum(c.v6) AS v6,
       max(c.updated_at) AS updated_at
FROM metrics.cell_keys AS k
JOIN metrics.cells AS c USING (cell)
GROUP BY k.cell;
COMMENT ON VIEW metrics.sums IS 'Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.cell IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.family IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.period IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d0 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d1 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d2 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d3 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d4 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d5 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d6 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.d7 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v0 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v1 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v2 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v3 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v4 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v5 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.v6 IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
COMMENT ON COLUMN metrics.sums.updated_at IS 'See the view: Cells over all lanes (convergent, but codes and updated_at).';
