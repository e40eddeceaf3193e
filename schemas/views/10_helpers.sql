-- What the public views are made with: packed bytes, the active policies.

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

CREATE FUNCTION tutti_meta.refusal_name(code integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['pair', 'quarantine', 'cut', 'unique', 'limit', 'max_identifiers'])[code];

-- An id with its last byte changed: the row of a deadline that the touch set.
CREATE FUNCTION tutti_meta.uuid_or_null(text text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN text ~* '^([0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$' THEN text::uuid END;
COMMENT ON FUNCTION tutti_meta.uuid_or_null IS 'The id that a text of a producer names, null where it names none.';

CREATE FUNCTION tutti_meta.id_xor(id uuid, bits integer) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(set_byte(uuid_send(id), 15, get_byte(uuid_send(id), 15) # bits), 'hex')::uuid;
CREATE FUNCTION tutti_meta.kept_shape(type text, event text, channel text, direction text, department text, purpose text, currency text, is_bot boolean) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN md5(jsonb_build_array('kept', type, event, channel, direction, department, purpose, currency, is_bot)::text)::uuid;
COMMENT ON FUNCTION tutti_meta.kept_shape(text, text, text, text, text, text, text, boolean) IS 'Hash of the shape that an erased person''s sale keeps.';

-- OFFSET 0: read once per query, never once per row.
CREATE VIEW tutti_meta.active AS
SELECT g.number, p.generation, p.reporting_timezone AS zone, p.default_timezone AS person_zone, p.session, p.at_risk_after, p.lapsed_after, p.journey_end, p.stored_model,
       p.first_percent, p.last_percent, extract(epoch FROM p.half_life)::bigint AS half_life_seconds,
       (tutti.as_of() AT TIME ZONE p.reporting_timezone)::date AS today
FROM tutti_meta.generations AS g
JOIN journey.policies AS p USING (generation)
WHERE g.is_active
OFFSET 0;
COMMENT ON VIEW tutti_meta.active IS 'What the views need to know of the active policies (chronicle).';

CREATE VIEW tutti_meta.active_zones AS
SELECT n.code, z.first_offset, z.changed_at, z.offsets
FROM tutti_meta.zones AS n
JOIN tutti_meta.zones AS z ON z.zones = n.zones AND z.code = coalesce(n.alias_of, n.code)
WHERE n.zones = (SELECT zones FROM tutti_meta.generations WHERE is_active);
COMMENT ON VIEW tutti_meta.active_zones IS 'The changes of the clocks of every time zone, by its code (chronicle).';

CREATE VIEW tutti_meta.active_zone_names AS
SELECT code, name
FROM tutti_meta.zones
WHERE zones = (SELECT zones FROM tutti_meta.generations WHERE is_active);
COMMENT ON VIEW tutti_meta.active_zone_names IS 'The names of the time zones, by code (chronicle).';

-- The last value that is not null: PostgreSQL 15 has no IGNORE NULLS. Strict: a null leaves the state as it is.
CREATE FUNCTION tutti_meta.second(before smallint, this smallint) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN this;
CREATE AGGREGATE tutti_meta.newest(smallint) (SFUNC = tutti_meta.second, STYPE = smallint, PARALLEL = SAFE);

CREATE VIEW tutti_meta.active_goals AS
SELECT goal_id, parent_goal_id, ladder_level, unit, metric, is_credited, status, from_stage, asks_identified, segment_id, windows
FROM journey.goals
WHERE generation = (SELECT generation FROM tutti_meta.active);
COMMENT ON VIEW tutti_meta.active_goals IS 'The goals of the active policies (chronicle).';

CREATE VIEW journey.campaign_names AS
SELECT campaign_id, max(campaign_name COLLATE "C") AS campaign_name
FROM journey.shapes
WHERE campaign_id IS NOT NULL AND campaign_name <> ''
GROUP BY campaign_id;
COMMENT ON VIEW journey.campaign_names IS 'One name per campaign: the greatest that any touchpoint gave it (convergent).';
COMMENT ON COLUMN journey.campaign_names.campaign_id IS 'The campaign (convergent).';
COMMENT ON COLUMN journey.campaign_names.campaign_name IS 'Its name (convergent).';
