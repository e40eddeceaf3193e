-- as_of: 2026-11-15T00:00:00Z
-- primary bank customers
SELECT goal_date, value
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id = 'primary_bank_customers'
ORDER BY goal_date;
-- who they are
SELECT stage, is_identified, count(*) AS profiles
FROM tutti.dim_profiles
GROUP BY stage, is_identified
ORDER BY stage, is_identified;
