SELECT f.anchor, f.occurred_at, f.event_id, f.shape, f.value_micros, f.traits
FROM journey.facts AS f
WHERE f.traits IS NOT NULL AND (f.anchor, f.occurred_at, f.event_id) > ($1, $2, $3)
ORDER BY f.anchor, f.occurred_at, f.event_id
LIMIT $4
