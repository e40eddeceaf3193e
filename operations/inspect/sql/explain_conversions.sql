-- The last conversions and who is credited for them, one line per model and touch.
WITH last AS (SELECT conversion_id, converted_at, goal_id, revenue, path
              FROM tutti.fct_conversions
              WHERE profile_id = $1
              ORDER BY converted_at DESC, conversion_id DESC
              LIMIT 5)
SELECT to_char(l.converted_at, 'YYYY-MM-DD HH24:MI:SS'), l.goal_id, to_char(l.revenue, 'FM999,999,999,990.00'), a.model,
       a.touch_channel, a.campaign_id, to_char(a.touched_at, 'YYYY-MM-DD HH24:MI:SS'),
       to_char(a.attributed_revenue, 'FM999,999,999,990.00')
FROM last l
JOIN tutti.fct_attributions a USING (conversion_id)
ORDER BY l.converted_at DESC, l.conversion_id, a.model, a.touch_position
