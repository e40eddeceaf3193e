-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, last_score, count(*) AS customers
FROM tutti.dim_profiles
GROUP BY stage, last_score
ORDER BY last_score;
