-- Sales of these anchors ($1) have an owner still, though it is gone: who tells them again gets nothing. Touchpoints of nobody that
-- name an order of theirs lose what leads to it.
WITH orders AS (
    SELECT DISTINCT f.order_id FROM journey.facts AS f WHERE f.anchor = ANY ($1::bigint[]) AND f.order_id IS NOT NULL
), owned AS (
    UPDATE journey.sales AS w
    SET anchor = NULL
    FROM journey.facts AS f
    WHERE f.anchor = ANY ($1::bigint[]) AND w.anchor = f.anchor AND w.occurred_at = f.occurred_at AND w.event_id = f.event_id
    RETURNING 1
), blank AS (
    UPDATE journey.facts AS f
    SET message_id = '', order_id = NULL
    FROM orders AS o
    WHERE f.anchor = 0 AND f.order_id = o.order_id
    RETURNING 1
)
SELECT 'journey.sales', (SELECT count(*) FROM owned)::text
UNION ALL
SELECT 'journey.facts.order_id', (SELECT count(*) FROM blank)::text
