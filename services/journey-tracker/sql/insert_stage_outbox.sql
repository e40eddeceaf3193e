INSERT INTO journey.stage_outbox (lane, payload)
VALUES ($1, $2)
RETURNING id
