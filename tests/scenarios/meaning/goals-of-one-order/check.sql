-- as_of: 2026-12-15T00:00:00Z
-- conversions
SELECT converted_at, goal_id, conversion_id = touchpoint_id AS is_main, revenue, is_first, is_counted, eligible_touch_count
FROM tutti.fct_conversions
ORDER BY converted_at, goal_id;
-- returns
SELECT r.goal_id, r.returned_revenue, c.revenue AS order_revenue
FROM tutti.fct_returns AS r
JOIN tutti.fct_conversions AS c ON c.conversion_id = r.conversion_id AND c.goal_id = r.goal_id
ORDER BY r.goal_id;
-- credit
SELECT goal_id, campaign_id, sum(attributed_conversions) AS conversions, sum(attributed_revenue) AS revenue
FROM tutti.rpt_attributions_daily
WHERE segment_id = '(all)' AND model = 'linear'
GROUP BY goal_id, campaign_id
ORDER BY goal_id, campaign_id;
-- the customer counts each order once
SELECT p.order_count, p.revenue, v.conversions, v.revenue AS value, v.margin
FROM tutti.dim_profiles AS p
JOIN tutti.dim_profile_values AS v USING (profile_id);
-- rows add up to reports
SELECT goal_id, sum(attributed_revenue) AS revenue, count(DISTINCT conversion_id) AS ids
FROM tutti.fct_attributions
WHERE model = 'position_based'
GROUP BY goal_id
ORDER BY goal_id;
