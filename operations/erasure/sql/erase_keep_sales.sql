-- Keeps the money of the sales that these anchors ($1) own: day, shape and amounts.
INSERT INTO journey.kept_sales (day, shape, value_micros, margin_micros)
SELECT (f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date, k.shape, f.value_micros, f.margin_micros
FROM journey.facts AS f
JOIN journey.sales AS w USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s ON s.shape = f.shape
JOIN journey.shapes AS k ON k.hash = tutti_meta.kept_shape(s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, s.is_bot)
WHERE f.anchor = ANY ($1::bigint[])
ORDER BY 1, 2, 3, 4
