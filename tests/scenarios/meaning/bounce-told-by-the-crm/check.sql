-- as_of: 2026-12-15T00:00:00Z
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
