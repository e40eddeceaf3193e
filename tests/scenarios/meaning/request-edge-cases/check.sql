-- as_of: 2026-12-15T00:00:00Z
-- verdicts
SELECT coalesce(t.message_id, u.message_id) AS message_id, d.verdict, d.reason
FROM tutti.fct_contact_decisions AS d
LEFT JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
LEFT JOIN tutti.fct_unidentified_touchpoints AS u ON u.touchpoint_id = d.request_id
ORDER BY d.requested_at;
