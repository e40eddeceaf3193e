-- as_of: 2026-12-15T00:00:00Z
-- credit
SELECT t.message_id, a.model, a.credit, a.attributed_revenue
FROM tutti.fct_attributions AS a JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = a.touchpoint_id
WHERE a.conversion_department IN ('q1', 'q2', 'q3', 'q7') AND a.model = 'position_based'
    OR a.conversion_department IN ('q4', 'q5') AND a.model = 'time_decay' OR a.conversion_department = 'q6' AND a.model = 'linear';
