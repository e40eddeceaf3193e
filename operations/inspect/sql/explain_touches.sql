-- The last touches, newest first.
SELECT to_char(occurred_at, 'YYYY-MM-DD HH24:MI:SS'), direction, channel, department, event_name, campaign_id,
       to_char(revenue, 'FM999,999,999,990.00'), touchpoint_id::text
FROM tutti.fct_touchpoints
WHERE profile_id = $1
ORDER BY occurred_at DESC, touchpoint_id DESC
LIMIT 15
