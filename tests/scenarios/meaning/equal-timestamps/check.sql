-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, status, identifier_count, order_count, revenue, currency, last_seen_at
FROM tutti.dim_profiles
WHERE NOT is_shared
ORDER BY first_seen_at, last_seen_at, revenue;
-- conversions
SELECT converted_at, revenue, currency, is_first, path
FROM tutti.fct_conversions
ORDER BY converted_at, revenue;
-- changes of stage and status
SELECT changed_at, from_stage, to_stage, from_status, to_status, reason
FROM tutti.fct_stage_changes
ORDER BY changed_at, from_stage NULLS FIRST, to_status;
