INSERT INTO journey.message_outbox (id, lane, payload)
OVERRIDING SYSTEM VALUE
VALUES ($1, $2, $3)
