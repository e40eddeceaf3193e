INSERT INTO journey.stage_outbox (lane, profile_id, payload)
SELECT $1, unnest($2::uuid[]), unnest($3::bytea[])
RETURNING id
