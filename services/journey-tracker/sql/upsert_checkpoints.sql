INSERT INTO checkpoints (profile, occurred_at, payload)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::bytea[])
ON CONFLICT (profile, occurred_at) DO UPDATE SET payload = excluded.payload
