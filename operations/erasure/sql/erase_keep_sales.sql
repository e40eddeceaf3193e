-- Keeps the money of the sales that these anchors ($1) own: day, shape and amounts. Of a return, and of an order that was
-- told again, it is what it changed.
INSERT INTO journey.kept_sales (day, shape, value_micros, margin_micros)
SELECT (f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date, k.shape, m.value_micros, m.margin_micros
FROM journey.facts AS f
JOIN active.sales AS w USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s ON s.shape = f.shape
JOIN journey.shapes AS k ON k.hash = tutti_meta.kept_shape(s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, s.is_bot)
LEFT JOIN active.order_changes AS o
    ON o.anchor = f.anchor AND o.occurred_at = f.occurred_at AND o.event_id = f.event_id AND o.further_id IS NULL
CROSS JOIN LATERAL (SELECT CASE WHEN o.event_id IS NULL THEN f.value_micros ELSE o.value_micros + o.over_micros END AS value_micros,
                           CASE WHEN o.event_id IS NULL THEN f.margin_micros ELSE o.margin_micros END AS margin_micros) AS m
WHERE f.anchor = ANY ($1::bigint[]) AND (o.event_id IS NULL OR m.value_micros <> 0 OR m.margin_micros <> 0)
ORDER BY 1, 2, 3, 4
