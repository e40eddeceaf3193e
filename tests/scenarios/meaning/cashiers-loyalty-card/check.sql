-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT is_shared, identifier_count, order_count, revenue, stage, count(*) AS customers
FROM tutti.dim_profiles
GROUP BY is_shared, identifier_count, order_count, revenue, stage
ORDER BY is_shared;
-- links
SELECT refused_by, count(*) AS links
FROM tutti.fct_identity_links
GROUP BY refused_by
ORDER BY refused_by;
