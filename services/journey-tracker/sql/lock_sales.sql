SELECT s.occurred_at, s.event_id, s.anchor, s.rank
FROM sales AS s
WHERE (s.occurred_at, s.event_id) IN (SELECT * FROM unnest($1::timestamptz[], $2::uuid[]))
ORDER BY s.occurred_at, s.event_id
FOR NO KEY UPDATE OF s
