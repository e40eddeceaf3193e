SELECT c.occurred_at, c.event_id, c.anchor, c.rank
FROM sale_copies AS c
WHERE c.anchor = ANY ($1::bigint[])
