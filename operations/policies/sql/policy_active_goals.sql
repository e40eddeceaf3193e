-- The goals of the active policies, and whether they are amounts of money.
SELECT goal_id, metric IN ('value', 'margin_else_value') FROM tutti_meta.active_goals ORDER BY goal_id
