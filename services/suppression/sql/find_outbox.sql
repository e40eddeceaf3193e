SELECT request_id, kind, profile_id, channel, department, correlation, payload
FROM suppression.outbox
WHERE instance = $1 OR (lane = ANY ($2::integer[]) AND created_at < clock_timestamp() - $3 * interval '1 microsecond')
ORDER BY created_at, request_id, kind
LIMIT 2000
