-- The next $3 sales after ($1, $2) that no customer is known for.
SELECT f.anchor, f.occurred_at, f.event_id, f.shape, f.value_micros, f.margin_micros
FROM sales AS s
JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
LEFT JOIN journey.anchors AS a ON a.anchor = s.anchor
WHERE (s.occurred_at, s.event_id) > ($1, $2) AND (a.anchor IS NULL OR a.version % 2 = 1)
ORDER BY s.occurred_at, s.event_id
LIMIT $3
