-- as_of: 2026-12-15T00:00:00Z
-- what the order brings
SELECT model, campaign_id, attributed_conversions, attributed_revenue
FROM tutti.rpt_attributions_daily
WHERE segment_id = '(all)' AND conversion_date = '2026-10-15'
ORDER BY model, campaign_id;
-- what is left after a return
SELECT model, campaign_id, sum(attributed_revenue) AS revenue
FROM tutti.rpt_attributions_daily
WHERE segment_id = '(all)' AND conversion_date < '2026-11-06' AND model IN ('position_based', 'time_decay')
GROUP BY model, campaign_id
ORDER BY model, campaign_id;
-- what is left in the end
SELECT count(*) AS parts, sum(abs(attributed_conversions)) AS conversions, sum(abs(attributed_revenue)) AS revenue
FROM (SELECT model, campaign_id, sum(attributed_conversions) AS attributed_conversions, sum(attributed_revenue) AS attributed_revenue
      FROM tutti.rpt_attributions_daily WHERE segment_id = '(all)' GROUP BY model, campaign_id) AS d;
-- rows and reports agree
SELECT model, sum(attributed_revenue) AS revenue, count(*) AS rows
FROM tutti.fct_attributions
WHERE converted_at < '2026-11-06'
GROUP BY model
ORDER BY model;
