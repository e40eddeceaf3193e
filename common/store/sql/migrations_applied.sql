-- The versions of the migrations that this database has.
SELECT version FROM tutti_meta.schema_migrations ORDER BY version COLLATE "C"
