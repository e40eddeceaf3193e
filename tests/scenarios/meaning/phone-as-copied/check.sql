-- as_of: 2026-12-15T00:00:00Z
-- unidentified touchpoints
SELECT occurred_at, event_name
FROM tutti.fct_unidentified_touchpoints
ORDER BY occurred_at;
-- opt-outs that were understood
SELECT count(*) AS opt_outs
FROM tutti.fct_touchpoints
WHERE event_name = 'Unsubscribed';
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
