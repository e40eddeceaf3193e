INSERT INTO repeats (anchor, occurred_at, event_id)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::uuid[])
ON CONFLICT DO NOTHING
