UPDATE suppression.decisions
SET claimed_at = $2
WHERE request_id = ANY ($1::uuid[])
