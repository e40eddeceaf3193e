-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, status, identifier_count, order_count, revenue, currency, last_seen_at
FROM tutti.dim_profiles
WHERE NOT is_shared
ORDER BY first_seen_at, last_seen_at, revenue;
-- identifiers
SELECT type, count(*) AS identifiers, count(DISTINCT profile_id) AS profiles
FROM tutti.dim_identifiers
GROUP BY type
ORDER BY type;
