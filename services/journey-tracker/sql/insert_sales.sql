INSERT INTO sales (occurred_at, event_id, anchor, rank)
SELECT unnest($1::timestamptz[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::smallint[])
ON CONFLICT DO NOTHING
RETURNING occurred_at, event_id
