DELETE FROM suppression.outbox
WHERE request_id = ANY ($1::uuid[]) AND kind = $2
