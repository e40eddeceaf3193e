UPDATE journey.shapes
SET network = $2, touch_kind = $3, is_goal_event = $4, needs_value = $5, shown_direction = $6, is_touch = $7
WHERE shape = $1
