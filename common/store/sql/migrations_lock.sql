-- What `tutti migrate` locks while it works: a table without rows, which no reader may lock. Once it is there it is left alone.
CREATE SCHEMA IF NOT EXISTS tutti_meta;
DO $$
BEGIN
    IF to_regclass('tutti_meta.migration_lock') IS NULL THEN
        CREATE TABLE tutti_meta.migration_lock ();
        COMMENT ON TABLE tutti_meta.migration_lock IS 'chronicle: locked by tutti migrate while it works.';
    END IF;
END $$;
