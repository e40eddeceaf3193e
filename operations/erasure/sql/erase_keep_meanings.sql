-- These shapes mean what the shapes of the sales do, in either slot.
INSERT INTO journey.shape_meanings (slot, shape, touch_kind, shown_direction, is_touch, is_goal_event, needs_value, is_money,
                                    is_money_with_value, is_return_event)
SELECT DISTINCT ON (m.slot, k.shape) m.slot, k.shape, s.channel || ':' || s.event, m.shown_direction, m.is_touch, m.is_goal_event,
       m.needs_value, m.is_money, m.is_money_with_value, m.is_return_event
FROM journey.facts AS f
JOIN active.sales AS w USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s USING (shape)
JOIN journey.shape_meanings AS m USING (shape)
JOIN journey.shapes AS k ON k.hash = tutti_meta.kept_shape(s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.currency, s.is_bot)
WHERE f.anchor = ANY ($1::bigint[])
ORDER BY m.slot, k.shape, s.shape
ON CONFLICT DO NOTHING
