UPDATE journey.shapes
SET network = $2, touch_kind = $3, is_goal_event = $4, needs_value = $5, shown_direction = $6, is_touch = $7, is_money = $8,
    is_money_with_value = $9, is_return_event = $10, opens_case = $11, ends_case = $12
WHERE shape = $1
