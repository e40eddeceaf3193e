-- as_of: 2026-12-15T00:00:00Z
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
-- what the cap saw
SELECT d.requested_at, r.rule_id, r.passed, r.observed, r.allowed
FROM tutti.fct_contact_decision_rules AS r
JOIN tutti.fct_contact_decisions AS d USING (request_id)
WHERE r.rule_id = 'email7'
ORDER BY d.requested_at;
