INSERT INTO journey.outbox (lane, seq, payload)
SELECT $1, unnest($2::bigint[]), unnest($3::bytea[])
