SELECT id, payload
FROM journey.stage_outbox
WHERE lane = ANY ($1::integer[])
ORDER BY id
LIMIT 20
