INSERT INTO responses (anchor, occurred_at, event_id, rank, send_id, sent_at, send_shape, shape, local_hour)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::uuid[]), unnest($4::smallint[]), unnest($5::uuid[]),
       unnest($6::timestamptz[]), unnest($7::integer[]), unnest($8::integer[]), unnest($9::smallint[])
ON CONFLICT (anchor, occurred_at, event_id) DO UPDATE
    SET rank = excluded.rank, send_id = excluded.send_id, sent_at = excluded.sent_at, send_shape = excluded.send_shape,
        local_hour = excluded.local_hour
