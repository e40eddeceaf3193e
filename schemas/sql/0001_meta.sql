-- migrate:up
-- What belongs to no service: roles, the active generation of policies, the public schema and its clock.
CREATE SCHEMA IF NOT EXISTS tutti_meta;
COMMENT ON SCHEMA tutti_meta IS 'Migrations and the active policies.';

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['tutti_identity', 'tutti_journey', 'tutti_suppression', 'tutti_metrics'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
    END LOOP;
    FOREACH role_name IN ARRAY ARRAY['tutti_reader', 'tutti_pii'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
END $$;

CREATE TABLE tutti_meta.generations (
    generation uuid PRIMARY KEY,
    number integer GENERATED ALWAYS AS IDENTITY,
    policies jsonb NOT NULL,
    is_active boolean NOT NULL,
    is_complete boolean NOT NULL DEFAULT false,
    activated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX generations_one_active ON tutti_meta.generations (is_active) WHERE is_active;
COMMENT ON TABLE tutti_meta.generations IS 'Policy sets that were active, one at a time (chronicle).';
COMMENT ON COLUMN tutti_meta.generations.generation IS 'Hash of the policies and of the version of the derivation.';
COMMENT ON COLUMN tutti_meta.generations.number IS 'Running number of the activation.';
COMMENT ON COLUMN tutti_meta.generations.policies IS 'The policy files as they were applied, by name.';
COMMENT ON COLUMN tutti_meta.generations.is_active IS 'True for the one that services work by.';
COMMENT ON COLUMN tutti_meta.generations.is_complete IS 'True once every profile was derived under it; services refuse to start before.';
COMMENT ON COLUMN tutti_meta.generations.activated_at IS 'When it was applied.';

CREATE SCHEMA tutti;
COMMENT ON SCHEMA tutti IS 'Public views: the versioned promise to people who query.';
GRANT USAGE ON SCHEMA tutti TO tutti_reader;
GRANT USAGE ON SCHEMA tutti_meta TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;
GRANT SELECT ON ALL TABLES IN SCHEMA tutti_meta TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;

-- The moment as of which dated figures are shown: `SET tutti.as_of = '2017-12-31T00:00:00Z'`, else now().
CREATE FUNCTION tutti.as_of() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('tutti.as_of', true), '')::timestamptz, now()) $$;
COMMENT ON FUNCTION tutti.as_of() IS 'The moment as of which dated figures are shown; settable per session.';

-- Big-endian numbers inside packed bytes.
CREATE FUNCTION tutti_meta.be_int8(packed bytea, at integer) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT ('x' || encode(substring(packed FROM at + 1 FOR 8), 'hex'))::bit(64)::bigint $$;
CREATE FUNCTION tutti_meta.be_int4(packed bytea, at integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT ('x' || encode(substring(packed FROM at + 1 FOR 4), 'hex'))::bit(32)::integer $$;
CREATE FUNCTION tutti_meta.be_int2(packed bytea, at integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT get_byte(packed, at) * 256 + get_byte(packed, at + 1) - CASE WHEN get_byte(packed, at) > 127 THEN 65536 ELSE 0 END $$;
CREATE FUNCTION tutti_meta.be_uuid(packed bytea, at integer) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT encode(substring(packed FROM at + 1 FOR 16), 'hex')::uuid $$;
-- Microseconds since 1970 as a time; the smallest bigint means absent.
CREATE FUNCTION tutti_meta.from_micros(us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CASE WHEN us <> -9223372036854775808 THEN timestamptz 'epoch' + us * interval '1 microsecond' END $$;

-- migrate:down
DROP SCHEMA tutti CASCADE;
DROP SCHEMA tutti_meta CASCADE;
