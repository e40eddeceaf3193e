-- as_of: 2026-12-15T00:00:00Z
-- credit
SELECT converted_at, model, touched_at, touch_channel, campaign_id, credit, attributed_revenue
FROM tutti.fct_attributions
WHERE model IN ('first_touch', 'last_touch', 'linear')
ORDER BY converted_at, model, touch_position, touched_at;
-- goals
SELECT goal_date, goal_id, department, channel, value, currency, own_value, assisted_value, customers
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('orders', 'sale')
ORDER BY goal_date, goal_id, department, channel, currency;
