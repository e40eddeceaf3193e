SELECT id, payload
FROM journey.message_outbox
WHERE lane = ANY ($1::integer[])
ORDER BY id
LIMIT 20
