-- as_of: 2026-12-15T00:00:00Z
-- won back
SELECT changed_at, from_status, to_status
FROM tutti.fct_stage_changes
WHERE to_status = 'won_back'
ORDER BY changed_at;
-- status of the customers
SELECT status, count(*) AS customers
FROM tutti.dim_profiles
GROUP BY status
ORDER BY status;
-- goals
SELECT goal_date, goal_id, value
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('won_back', 'pressure', 'active_customers') AND department = '(all)' AND goal_date >= '2026-10-01'
ORDER BY goal_date, goal_id;
