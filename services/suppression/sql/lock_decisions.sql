SELECT request_id
FROM suppression.decisions
WHERE request_id = ANY ($1::uuid[])
ORDER BY request_id
FOR NO KEY UPDATE
