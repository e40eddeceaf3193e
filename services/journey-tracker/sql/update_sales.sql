UPDATE sales AS s
SET anchor = u.anchor, rank = u.rank
FROM unnest($1::timestamptz[], $2::uuid[], $3::bigint[], $4::smallint[]) AS u (occurred_at, event_id, anchor, rank)
WHERE s.occurred_at = u.occurred_at AND s.event_id = u.event_id
