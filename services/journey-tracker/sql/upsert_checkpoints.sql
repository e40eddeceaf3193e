INSERT INTO journey.checkpoints (profile, occurred_at, event_id, payload)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::uuid[]), unnest($4::bytea[])
ON CONFLICT (profile, occurred_at, event_id) DO UPDATE SET payload = excluded.payload
