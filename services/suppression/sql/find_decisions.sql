SELECT request_id, verdict, outcome, planned_at, expires_at, sent_at, sequence_id, claimed_at
FROM suppression.decisions
WHERE request_id = ANY ($1::uuid[])
