SELECT c.occurred_at, c.event_id, c.anchor, c.rank
FROM unnest($1::timestamptz[], $2::uuid[]) AS u (occurred_at, event_id)
JOIN sale_copies AS c USING (occurred_at, event_id)
