-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, status, identifier_count, order_count, revenue, currency, last_seen_at
FROM tutti.dim_profiles
WHERE NOT is_shared
ORDER BY first_seen_at, last_seen_at, revenue;
-- conversions
SELECT converted_at, revenue, currency, is_first, path
FROM tutti.fct_conversions
ORDER BY converted_at, revenue;
-- credit
SELECT converted_at, model, touched_at, touch_channel, campaign_id, credit, attributed_revenue
FROM tutti.fct_attributions
WHERE model IN ('first_touch', 'last_touch', 'linear')
ORDER BY converted_at, model, touch_position, touched_at;
-- goals
SELECT goal_date, goal_id, department, channel, value
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id IN ('sale', 'orders')
ORDER BY goal_date, goal_id, department, channel;
