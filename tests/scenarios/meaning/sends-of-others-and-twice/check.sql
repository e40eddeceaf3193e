-- as_of: 2026-12-15T00:00:00Z
-- sends
SELECT message_id, is_unasked
FROM tutti.fct_touchpoints
WHERE event_name = 'Contact Sent'
ORDER BY message_id;
-- verdicts and outcomes
SELECT t.message_id, d.verdict, d.reason, d.outcome, d.outcome_cause
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
