-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, status, identifier_count, order_count, revenue, currency, last_seen_at
FROM tutti.dim_profiles
WHERE NOT is_shared
ORDER BY first_seen_at, last_seen_at, revenue;
-- touchpoints
SELECT occurred_at, channel, event_name, session_number, revenue
FROM tutti.fct_touchpoints
ORDER BY occurred_at, event_name;
-- goals
SELECT goal_date, goal_id, department, channel, value, currency, own_value, assisted_value, customers
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('orders', 'sale')
ORDER BY goal_date, goal_id, department, channel, currency;
