-- as_of: 2026-12-15T00:00:00Z
-- goals
SELECT goal_date, goal_id, department, channel, value, currency, own_value, assisted_value, customers
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('sale')
ORDER BY goal_date, goal_id, department, channel, currency;
