-- What `tutti migrate` writes down about its own work. Run before every migration; changes nothing that is there.
CREATE SCHEMA IF NOT EXISTS tutti_meta;
COMMENT ON SCHEMA tutti_meta IS 'Migrations and the active policies.';

CREATE TABLE IF NOT EXISTS tutti_meta.schema_migrations (
    version text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tutti_meta.schema_migrations IS 'chronicle: the migrations applied to this database.';
COMMENT ON COLUMN tutti_meta.schema_migrations.version IS 'Leading digits of the file''s name.';
COMMENT ON COLUMN tutti_meta.schema_migrations.applied_at IS 'When it was applied (wall clock).';

CREATE TABLE IF NOT EXISTS tutti_meta.view_set (
    hash text PRIMARY KEY,
    views text[] NOT NULL,
    functions text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tutti_meta.view_set IS 'chronicle: the views that schemas/views made in this database; one row, or none.';
COMMENT ON COLUMN tutti_meta.view_set.hash IS 'Hash of the texts that made them.';
COMMENT ON COLUMN tutti_meta.view_set.views IS 'The views, with their schemas.';
COMMENT ON COLUMN tutti_meta.view_set.functions IS 'The functions, with their schemas and arguments.';
COMMENT ON COLUMN tutti_meta.view_set.created_at IS 'When they were created (wall clock).';

-- Drops what schemas/views made, and nothing else. `tutti migrate up` makes it again in the same run.
-- A migration calls it first if it changes a column that a view reads.
CREATE OR REPLACE FUNCTION tutti_meta.drop_views() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made record;
    built_on_them text;
BEGIN
    FOR made IN DELETE FROM tutti_meta.view_set RETURNING views, functions LOOP
        IF cardinality(made.views) > 0 THEN
            EXECUTE 'DROP VIEW IF EXISTS ' || array_to_string(made.views, ', ');
        END IF;
        IF cardinality(made.functions) > 0 THEN
            EXECUTE 'DROP ROUTINE IF EXISTS ' || array_to_string(made.functions, ', ');
        END IF;
    END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS built_on_them = PG_EXCEPTION_DETAIL;
    RAISE 'drop your own views that are built on the public ones, and create them again afterwards: %',
        replace(built_on_them, E'\n', '; ');
END $$;

GRANT USAGE ON SCHEMA tutti_meta TO PUBLIC;
GRANT SELECT ON tutti_meta.schema_migrations, tutti_meta.view_set TO PUBLIC;
