-- Facts of these anchors ($1) that say something of the customer.
SELECT f.anchor, f.occurred_at, f.event_id, f.shape, f.value_micros, f.traits
FROM journey.facts AS f
WHERE f.traits IS NOT NULL AND f.anchor = ANY ($1::bigint[])
