-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT is_shared, identifier_count, count(*) AS profiles
FROM tutti.dim_profiles
GROUP BY is_shared, identifier_count
ORDER BY is_shared;
-- identifiers
SELECT type, is_quarantined, count(*) AS identifiers, count(DISTINCT profile_id) AS profiles
FROM tutti.dim_identifiers
GROUP BY type, is_quarantined
ORDER BY type;
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
