DELETE FROM sale_copies AS c
USING unnest($1::timestamptz[], $2::uuid[], $3::bigint[]) AS u (occurred_at, event_id, anchor)
WHERE c.anchor = u.anchor AND c.occurred_at = u.occurred_at AND c.event_id = u.event_id
