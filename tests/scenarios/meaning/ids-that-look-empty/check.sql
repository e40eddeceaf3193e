-- as_of: 2026-12-15T00:00:00Z
SELECT type, count(*) AS identifiers, count(DISTINCT profile_id) AS customers
FROM tutti.dim_identifiers
GROUP BY type
ORDER BY type;
SELECT order_count, revenue, count(*) AS customers
FROM tutti.dim_profiles
WHERE order_count > 0
GROUP BY order_count, revenue
ORDER BY order_count;
