-- Where the customer stands.
SELECT coalesce(stage, '(none)'), to_char(stage_since_at, 'YYYY-MM-DD HH24:MI:SS'), coalesce(status, '(none)'),
       to_char(first_seen_at, 'YYYY-MM-DD HH24:MI:SS'), to_char(last_seen_at, 'YYYY-MM-DD HH24:MI:SS'), order_count::text,
       to_char(revenue, 'FM999,999,999,990.00'), currency
FROM tutti.dim_profiles
WHERE profile_id = $1
