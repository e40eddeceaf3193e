-- migrate:up
-- What belongs to no service: roles, the active generation of policies, the public schema, re-anchoring.
CREATE SCHEMA IF NOT EXISTS tutti_meta;

-- Roles belong to the cluster, and another database of it may be migrated at the same moment: a role that the other made first is as good.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('tutti_identity', 'LOGIN'), ('tutti_journey', 'LOGIN'), ('tutti_suppression', 'LOGIN'), ('tutti_metrics', 'LOGIN'),
            ('tutti_reader', 'NOLOGIN'), ('tutti_pii', 'NOLOGIN')
        ) AS w (name, login)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = w.name)
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.login);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
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

CREATE TABLE tutti_meta.reanchoring (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    policy_version integer NOT NULL,
    old_codes smallint[] NOT NULL,
    new_codes smallint[] NOT NULL,
    phase smallint NOT NULL DEFAULT 0,
    after_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    after_anchor bigint NOT NULL DEFAULT -9223372036854775808,
    after_at timestamptz NOT NULL DEFAULT '-infinity',
    after_event uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    started_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tutti_meta.reanchoring IS 'One row while facts get the anchors of an identity policy with other ranks; no service starts meanwhile (chronicle).';
COMMENT ON COLUMN tutti_meta.reanchoring.is_only IS 'True: there is at most one row.';
COMMENT ON COLUMN tutti_meta.reanchoring.policy_version IS 'Version of the identity policy whose ranks are taken over.';
COMMENT ON COLUMN tutti_meta.reanchoring.old_codes IS 'Codes of the types before.';
COMMENT ON COLUMN tutti_meta.reanchoring.new_codes IS 'Codes of the same types now.';
COMMENT ON COLUMN tutti_meta.reanchoring.phase IS '0 identifiers become others, 1 codes of identifiers, 2 facts of the journey, 3 facts of suppression, 4 profiles, 5 what is left of former identifiers, 6 what is derived.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_id IS 'Identifiers up to this one are done in the phase.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_anchor IS 'Facts of the phase up to this key are done: its anchor before.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_at IS '... its time.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_event IS '... its event.';
COMMENT ON COLUMN tutti_meta.reanchoring.started_at IS 'When the policy was switched.';

CREATE TABLE tutti_meta.renamed (
    old_id uuid PRIMARY KEY,
    new_id uuid
);
COMMENT ON TABLE tutti_meta.renamed IS 'What stored identifiers become under the rules that are being applied; empty once that is done (chronicle).';
COMMENT ON COLUMN tutti_meta.renamed.old_id IS 'The identifier before.';
COMMENT ON COLUMN tutti_meta.renamed.new_id IS 'What it becomes; null: nothing, its value is blocked or not usable.';

-- The first 8 bytes of an id, as journey keys it.
CREATE FUNCTION tutti_meta.short_key(id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || left(replace(id::text, '-', ''), 16))::bit(64)::bigint;
-- A big-endian number inside packed bytes.
CREATE FUNCTION tutti_meta.be_int8(packed bytea, at integer) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT ('x' || encode(substring(packed FROM at + 1 FOR 8), 'hex'))::bit(64)::bigint $$;
-- Short keys, 8 bytes each, without some of them; null if none is left.
CREATE FUNCTION tutti_meta.without_keys(packed bytea, keys bigint[]) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT string_agg(substring(packed FROM i * 8 + 1 FOR 8), '' ORDER BY i) FROM generate_series(0, length(packed) / 8 - 1) AS i
          WHERE tutti_meta.be_int8(packed, i * 8) <> ALL (keys) $$;

GRANT USAGE ON SCHEMA tutti_meta TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;
GRANT SELECT ON tutti_meta.generations, tutti_meta.reanchoring TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;

-- The public schema; what is in it stands in schemas/views.
CREATE SCHEMA tutti;
COMMENT ON SCHEMA tutti IS 'Public views: the versioned promise to people who query.';
GRANT USAGE ON SCHEMA tutti TO tutti_reader;

-- migrate:down
DROP SCHEMA tutti CASCADE;
DROP SCHEMA tutti_meta CASCADE;
