-- as_of: 2026-12-15T00:00:00Z
-- returns
SELECT returned_at, order_id, returned_revenue, unmatched_revenue, is_repeat
FROM tutti.fct_returns
ORDER BY returned_at;
-- goals
SELECT goal_date, goal_id, department, value, currency, customers
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('orders', 'sale')
ORDER BY goal_date, goal_id, department;
-- customers
SELECT order_count, revenue
FROM tutti.dim_profiles
ORDER BY first_seen_at;
