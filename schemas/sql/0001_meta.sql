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

CREATE TABLE tutti_meta.zone_sets (
    zones uuid PRIMARY KEY,
    tzdata text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tutti_meta.zone_sets IS 'Versions of the time zone database that generations work by (chronicle).';
COMMENT ON COLUMN tutti_meta.zone_sets.zones IS 'Hash of the zones.';
COMMENT ON COLUMN tutti_meta.zone_sets.tzdata IS 'Version of the time zone database, such as 2025b.';
COMMENT ON COLUMN tutti_meta.zone_sets.stored_at IS 'When it was stored.';

CREATE TABLE tutti_meta.zones (
    zones uuid NOT NULL REFERENCES tutti_meta.zone_sets,
    code smallint NOT NULL,
    name text NOT NULL,
    alias_of smallint,
    first_offset integer,
    changed_at timestamptz[],
    offsets integer[],
    PRIMARY KEY (zones, code),
    UNIQUE (zones, name)
);
-- Views look a time up in every row: the tables stay as they are, in the row.
ALTER TABLE tutti_meta.zones ALTER COLUMN changed_at SET STORAGE PLAIN, ALTER COLUMN offsets SET STORAGE PLAIN;
COMMENT ON TABLE tutti_meta.zones IS 'Time zones: every name with the changes of its clocks until 2100 (chronicle).';
COMMENT ON COLUMN tutti_meta.zones.zones IS 'The version, as in tutti_meta.zone_sets.';
COMMENT ON COLUMN tutti_meta.zones.code IS 'Code of the name, the same in every version.';
COMMENT ON COLUMN tutti_meta.zones.name IS 'Name, such as Europe/Berlin.';
COMMENT ON COLUMN tutti_meta.zones.alias_of IS 'Code of another name whose clocks always show the same; its row has the changes. Null: this row has them.';
COMMENT ON COLUMN tutti_meta.zones.first_offset IS 'Seconds east of UTC before the first change.';
COMMENT ON COLUMN tutti_meta.zones.changed_at IS 'When the clocks changed.';
COMMENT ON COLUMN tutti_meta.zones.offsets IS 'Seconds east of UTC from each change on.';

CREATE TABLE tutti_meta.zone_countries (
    zones uuid NOT NULL REFERENCES tutti_meta.zone_sets,
    country text NOT NULL,
    codes smallint[] NOT NULL,
    PRIMARY KEY (zones, country)
);
COMMENT ON TABLE tutti_meta.zone_countries IS 'The time zones that a country has (chronicle).';
COMMENT ON COLUMN tutti_meta.zone_countries.zones IS 'The version, as in tutti_meta.zone_sets.';
COMMENT ON COLUMN tutti_meta.zone_countries.country IS 'ISO 3166 code, two letters.';
COMMENT ON COLUMN tutti_meta.zone_countries.codes IS 'Codes of its zones, in the order of zone.tab.';

CREATE TABLE tutti_meta.generations (
    generation uuid PRIMARY KEY,
    number integer GENERATED ALWAYS AS IDENTITY,
    policies json NOT NULL,
    is_active boolean NOT NULL,
    is_complete boolean NOT NULL DEFAULT false,
    is_building boolean NOT NULL DEFAULT false,
    zones uuid REFERENCES tutti_meta.zone_sets,
    slot smallint NOT NULL DEFAULT 0 CHECK (slot IN (0, 1)),
    activated_at timestamptz DEFAULT now()
);
CREATE UNIQUE INDEX generations_one_active ON tutti_meta.generations (is_active) WHERE is_active;
CREATE UNIQUE INDEX generations_one_building ON tutti_meta.generations (is_building) WHERE is_building;
COMMENT ON TABLE tutti_meta.generations IS 'Policy sets that were active, one at a time (chronicle).';
COMMENT ON COLUMN tutti_meta.generations.generation IS 'Hash of the policies, the time zones and the version of the derivation.';
COMMENT ON COLUMN tutti_meta.generations.number IS 'Running number of the activation.';
COMMENT ON COLUMN tutti_meta.generations.policies IS 'The policy files as they were applied, by name.';
COMMENT ON COLUMN tutti_meta.generations.is_active IS 'True for the one that services work by.';
COMMENT ON COLUMN tutti_meta.generations.is_complete IS 'True once every profile was derived under it; services refuse to start before.';
COMMENT ON COLUMN tutti_meta.generations.is_building IS 'True while profiles are derived under it and another one is active.';
COMMENT ON COLUMN tutti_meta.generations.zones IS 'Its time zones, as in tutti_meta.zone_sets; null: it knows UTC only.';
COMMENT ON COLUMN tutti_meta.generations.slot IS 'Where what is derived under it stands: 0 for slot_0, 1 for slot_1.';
COMMENT ON COLUMN tutti_meta.generations.activated_at IS 'When it was applied; null: never yet.';

-- No generation: nothing is derived from targets.
CREATE TABLE tutti_meta.goal_targets (
    goal_id text NOT NULL,
    department text NOT NULL,
    period_kind text NOT NULL,
    from_date date NOT NULL,
    currency text,
    target numeric(38, 6) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (goal_id, department, period_kind, from_date, currency)
);
COMMENT ON TABLE tutti_meta.goal_targets IS 'What the shared goals are to reach, as targets.json says it (chronicle).';
COMMENT ON COLUMN tutti_meta.goal_targets.goal_id IS 'Goal of the policies that were active when it was written.';
COMMENT ON COLUMN tutti_meta.goal_targets.department IS 'Department, (all) for the total.';
COMMENT ON COLUMN tutti_meta.goal_targets.period_kind IS 'day, week, month or quarter.';
COMMENT ON COLUMN tutti_meta.goal_targets.from_date IS 'Counts for periods that begin on this day or later, until the next one does.';
COMMENT ON COLUMN tutti_meta.goal_targets.currency IS 'ISO 4217 code; null for a goal that is no amount of money.';
COMMENT ON COLUMN tutti_meta.goal_targets.target IS 'What each period is to reach.';

-- Locks: no row, and no statement reads them. Only who may UPDATE one can lock it, so no reader can.
CREATE TABLE tutti_meta.presence ();
COMMENT ON TABLE tutti_meta.presence IS 'Locked (ROW SHARE) by each service while it runs, and EXCLUSIVE by a command that needs them stopped (chronicle).';
CREATE TABLE tutti_meta.policy_lock ();
COMMENT ON TABLE tutti_meta.policy_lock IS 'Locked (ROW SHARE) by every transaction that derives, and EXCLUSIVE by the one that activates policies (chronicle).';
CREATE TABLE tutti_meta.erasure_lock ();
COMMENT ON TABLE tutti_meta.erasure_lock IS 'Locked (ROW SHARE) by every transaction about people, and EXCLUSIVE by the one that erases a person (chronicle).';
CREATE TABLE tutti_meta.review_lock ();
COMMENT ON TABLE tutti_meta.review_lock IS 'Locked (EXCLUSIVE) by tutti identity apply while it works (chronicle).';

-- The active generation; the lock keeps a switch off until the transaction ends. Two statements: a read after a wait for a lock needs a
-- snapshot of its own, and a function that is not stable takes one for each of its statements.
CREATE FUNCTION tutti_meta.hold_policies(OUT generation uuid, OUT number integer, OUT slot smallint) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1 AS $$
BEGIN
    LOCK TABLE tutti_meta.policy_lock IN ROW SHARE MODE;
    RETURN QUERY SELECT g.generation, g.number, g.slot FROM tutti_meta.generations AS g WHERE g.is_active;
END $$;

-- Empties tables. Who reads one of them does not hold this up: its rows are then deleted one by one.
CREATE FUNCTION tutti_meta.clear_tables(VARIADIC tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    list text := array_to_string(tables, ', ');
    one regclass;
BEGIN
    EXECUTE 'LOCK TABLE ' || list || ' IN ACCESS EXCLUSIVE MODE NOWAIT';
    EXECUTE 'TRUNCATE ' || list;
EXCEPTION WHEN lock_not_available THEN
    FOREACH one IN ARRAY tables LOOP
        EXECUTE 'DELETE FROM ' || one;
    END LOOP;
END $$;

-- Slots: what is derived from facts under policies stands in one of two places, so that other policies can be derived while these are read.
-- The services name these tables without a schema, and search_path leads to their slot. Views read the schema `active`.
CREATE SCHEMA slot_0;
COMMENT ON SCHEMA slot_0 IS 'What is derived under one generation of policies: a partition of each such table.';
CREATE SCHEMA slot_1;
COMMENT ON SCHEMA slot_1 IS 'The same under another generation.';
CREATE SCHEMA active;
COMMENT ON SCHEMA active IS 'What is derived under the active generation: a view of each such table.';

-- The slot of the active generation; 0 while there is none.
CREATE FUNCTION tutti_meta.active_slot() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(max(slot), 0::smallint) FROM tutti_meta.generations WHERE is_active $$;

-- Gives tables slots, for the role that writes them: each becomes a parent with two partitions of its name, and a view in `active`. The
-- table must be empty. Keys and indexes stand on the partitions, because the services write and read these directly.
CREATE FUNCTION tutti_meta.give_slots(writer regrole, VARIADIC tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    model regclass;
    place regnamespace;
    name text;
    options text;
    columns text;
BEGIN
    FOREACH model IN ARRAY tables LOOP
        SELECT relnamespace, relname, 'WITH (' || array_to_string(reloptions, ', ') || ')' INTO place, name, options
        FROM pg_class WHERE oid = model;
        columns := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = model AND attnum > 0);
        EXECUTE format('ALTER TABLE %s RENAME TO %I', model, name || '_model');
        EXECUTE format('CREATE TABLE %s.%I (LIKE %s INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE, '
                       'slot smallint NOT NULL DEFAULT tutti_meta.active_slot()) PARTITION BY LIST (slot)', place, name, model);
        EXECUTE format('COMMENT ON TABLE %s.%I IS %L', place, name, obj_description(model, 'pg_class'));
        EXECUTE format('COMMENT ON COLUMN %s.%I.slot IS %L', place, name, 'Slot of the generation that it is derived under.');
        FOR slot IN 0..1 LOOP
            EXECUTE format('CREATE TABLE slot_%s.%I (LIKE %s INCLUDING ALL, slot smallint NOT NULL DEFAULT %s) %s',
                           slot, name, model, slot, options);
            EXECUTE format('ALTER TABLE %s.%I ATTACH PARTITION slot_%s.%I FOR VALUES IN (%s)', place, name, slot, name, slot);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON slot_%s.%I TO %s', slot, name, writer);
        END LOOP;
        EXECUTE format('CREATE VIEW active.%I AS SELECT %s FROM %s.%I WHERE slot = '
                       '(SELECT coalesce(max(g.slot), 0::smallint) FROM tutti_meta.generations AS g WHERE g.is_active)',
                       name, columns, place, name);
        EXECUTE format('DROP TABLE %s', model);
    END LOOP;
END $$;

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

GRANT USAGE ON SCHEMA slot_0, slot_1 TO tutti_journey, tutti_metrics;
GRANT USAGE ON SCHEMA tutti_meta TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;
GRANT SELECT ON tutti_meta.generations, tutti_meta.zone_sets, tutti_meta.zones, tutti_meta.zone_countries, tutti_meta.reanchoring TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;
GRANT UPDATE ON tutti_meta.presence, tutti_meta.policy_lock TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;
GRANT UPDATE ON tutti_meta.erasure_lock TO tutti_identity, tutti_journey, tutti_suppression;

-- The public schema; what is in it stands in schemas/views.
CREATE SCHEMA tutti;
COMMENT ON SCHEMA tutti IS 'Public views: the versioned promise to people who query.';
GRANT USAGE ON SCHEMA tutti TO tutti_reader;

-- migrate:down
DROP SCHEMA tutti CASCADE;
DROP SCHEMA active, slot_0, slot_1 CASCADE;
DROP SCHEMA tutti_meta CASCADE;
