-- as_of: 2026-12-01T00:00:00Z
-- each gesture
SELECT t.message_id, g.agent_id, g.case_id, g.kind, g.cost, g.has_open_case, g.is_over_case_limit, g.is_over_agent_limit, g.is_approved
FROM tutti.fct_gestures AS g
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = g.gesture_id AND t.profile_id = g.profile_id
ORDER BY g.given_at, g.gesture_id;
-- budgets
SELECT agent_id, period_start_date, currency, limit_amount, spent, remaining FROM tutti.rpt_gesture_budgets ORDER BY 1, 2;
