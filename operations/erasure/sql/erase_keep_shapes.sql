-- What goals and conversions ask of the sales of these anchors ($1), and no more, as shapes of their own.
INSERT INTO journey.shapes (hash, source, type, event, channel, direction, department, purpose, currency, has_click_id, is_bot, touch_kind,
                            shown_direction, is_touch, is_goal_event, needs_value, is_money, is_money_with_value, is_return_event)
SELECT DISTINCT tutti_meta.kept_shape(s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, s.is_bot),
       '', s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, false, s.is_bot, s.channel || ':' || s.event,
       s.shown_direction, s.is_touch, s.is_goal_event, s.needs_value, s.is_money, s.is_money_with_value, s.is_return_event
FROM journey.facts AS f
JOIN active.sales AS w USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s USING (shape)
WHERE f.anchor = ANY ($1::bigint[])
ON CONFLICT (hash) DO NOTHING
