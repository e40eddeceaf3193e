-- as_of: 2026-12-15T00:00:00Z
-- goals
SELECT goal_date, goal_id, department, channel, value, currency, own_value, assisted_value, customers
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('sale', 'orders')
ORDER BY goal_date, goal_id, department, channel, currency;
-- unidentified touchpoints
SELECT message_id, revenue, currency, order_id
FROM tutti.fct_unidentified_touchpoints
ORDER BY message_id;
-- conversions
SELECT profile_id IS NULL AS is_unidentified, count(*) AS conversions, sum(revenue) AS revenue
FROM tutti.fct_conversions
GROUP BY 1
ORDER BY 1;
