-- $1: version of the migration that was applied.
INSERT INTO tutti_meta.schema_migrations (version) VALUES ($1)
