-- What the policies make of the shape $1. Another instance may have written the same.
INSERT INTO shape_meanings (shape, network, touch_kind, is_goal_event, needs_value, shown_direction, is_touch, is_money, is_money_with_value,
                            is_return_event, opens_case, ends_case)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (shape) DO UPDATE
SET network = excluded.network, touch_kind = excluded.touch_kind, is_goal_event = excluded.is_goal_event, needs_value = excluded.needs_value,
    shown_direction = excluded.shown_direction, is_touch = excluded.is_touch, is_money = excluded.is_money,
    is_money_with_value = excluded.is_money_with_value, is_return_event = excluded.is_return_event, opens_case = excluded.opens_case,
    ends_case = excluded.ends_case
