-- Credited revenue per campaign in the three models, largest last touch first, then what no campaign is credited for.
WITH sums AS (SELECT CASE WHEN touch_channel = '(unattributed)' THEN '(unattributed)' ELSE coalesce(campaign_id, '(none)') END AS campaign,
                     currency,
                     sum(attributed_revenue) FILTER (WHERE model = 'first_touch') AS first_touch,
                     sum(attributed_revenue) FILTER (WHERE model = 'last_touch') AS last_touch,
                     sum(attributed_revenue) FILTER (WHERE model = 'linear') AS linear
              FROM tutti.rpt_attributions_daily
              WHERE segment_id = '(all)'
              GROUP BY 1, 2),
     ranked AS (SELECT *, row_number() OVER (ORDER BY campaign = '(unattributed)', greatest(first_touch, last_touch, linear) DESC, campaign, currency) AS rank
                FROM sums)
SELECT campaign, currency, to_char(first_touch, 'FM999,999,999,990.00'), to_char(last_touch, 'FM999,999,999,990.00'),
       to_char(linear, 'FM999,999,999,990.00')
FROM ranked
WHERE rank <= 10 OR campaign = '(unattributed)'
ORDER BY rank
