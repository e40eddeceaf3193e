-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT stage, status, identifier_count, order_count, revenue, currency, last_seen_at
FROM tutti.dim_profiles
WHERE NOT is_shared
ORDER BY first_seen_at, last_seen_at, revenue;
-- touchpoints
SELECT occurred_at, channel, event_name, session_number
FROM tutti.fct_touchpoints
ORDER BY occurred_at;
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
