INSERT INTO identity.outbox (version, part, profile_id, payload)
VALUES ($1, $2, $3, $4)
