SELECT f.event_id
FROM suppression.facts AS f
JOIN unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS u (anchor, occurred_at, event_id) USING (anchor, occurred_at, event_id)
ORDER BY f.anchor, f.occurred_at, f.event_id
FOR NO KEY UPDATE OF f
