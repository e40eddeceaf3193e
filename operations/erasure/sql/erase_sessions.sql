-- Connections of the service $1, or of its role $2.
SELECT count(*)
FROM pg_stat_activity
WHERE datname = current_database() AND (application_name = $1 OR usename = $2)
