-- as_of: 2026-12-15T00:00:00Z
-- gestures
SELECT t.message_id, g.case_id, g.agent_id, g.department, g.kind, g.cost, g.currency, g.has_open_case, g.is_over_case_limit, g.is_over_agent_limit, g.is_approved
FROM tutti.fct_gestures AS g JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = g.gesture_id
WHERE t.source LIKE 'urn:g_';
-- months of agents
SELECT agent_id, period_start_date, currency, limit_amount, spent, remaining
FROM tutti.rpt_gesture_budgets
WHERE agent_id LIKE '%-g_';
