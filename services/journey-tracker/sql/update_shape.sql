UPDATE journey.shapes
SET network = $2, touch_kind = $3, is_goal_event = $4, needs_value = $5
WHERE shape = $1
