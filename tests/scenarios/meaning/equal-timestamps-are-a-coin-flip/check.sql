-- as_of: 2026-10-10T00:00:00Z
-- stages
SELECT stage, count(*) AS customers
FROM tutti.dim_profiles
GROUP BY stage
ORDER BY stage;
