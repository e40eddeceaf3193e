-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, status, identifier_count, order_count, revenue, currency, last_seen_at
FROM tutti.dim_profiles
WHERE NOT is_shared
ORDER BY first_seen_at, last_seen_at, revenue;
-- touchpoints
SELECT occurred_at, event_name, direction, session_number, revenue, currency, campaign_id
FROM tutti.fct_touchpoints
ORDER BY occurred_at;
-- unidentified touchpoints
SELECT source, message_id, event_name
FROM tutti.fct_unidentified_touchpoints
ORDER BY message_id;
