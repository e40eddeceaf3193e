-- as_of: 2026-11-15T00:00:00Z
-- active customers
SELECT goal_date, value
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id = 'active_customers'
ORDER BY goal_date;
-- profiles
SELECT stage, status, is_identified, count(*) AS profiles
FROM tutti.dim_profiles
GROUP BY stage, status, is_identified
ORDER BY stage;
