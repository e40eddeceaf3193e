SELECT request_id, profile_id, verdict, outcome, requested_at, planned_at, decided_at, expires_at, retry_at, channel, department, class,
       reason, rule_id, rule_owner, rules, asked_for_at, moved_by, latest_at, zones, zone_data, claimed_at
FROM suppression.decisions
WHERE request_id = ANY ($1::uuid[])
