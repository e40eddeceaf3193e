-- as_of: 2025-04-01T00:00:00Z
-- the customer
SELECT profile_id, stage, identifier_count, order_count, revenue, currency FROM tutti.dim_profiles;
-- the verdicts
SELECT t.message_id, d.profile_id, d.department, d.verdict, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at;
