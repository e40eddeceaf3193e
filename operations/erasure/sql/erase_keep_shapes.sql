-- What goals and conversions ask of the sales of these anchors ($1), and no more, as shapes of their own.
INSERT INTO journey.shapes (hash, source, type, event, channel, direction, department, purpose, currency, has_click_id, is_bot)
SELECT DISTINCT tutti_meta.kept_shape(s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, s.is_bot),
       '', s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, false, s.is_bot
FROM journey.facts AS f
JOIN active.sales AS w USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s USING (shape)
WHERE f.anchor = ANY ($1::bigint[])
ON CONFLICT (hash) DO NOTHING
