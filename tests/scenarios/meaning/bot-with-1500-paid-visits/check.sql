-- as_of: 2026-12-15T00:00:00Z
-- sums of the credit
SELECT model, count(*) AS credited, sum(credit) AS conversions, sum(attributed_revenue) AS revenue
FROM tutti.fct_attributions
WHERE model IN ('first_touch', 'last_touch', 'linear')
GROUP BY model
ORDER BY model;
-- paths
SELECT path, eligible_touch_count
FROM tutti.fct_conversions
ORDER BY converted_at;
