-- as_of: 2026-12-15T00:00:00Z
SELECT message_id, occurred_date, local_hour, local_weekday FROM tutti.fct_touchpoints ORDER BY occurred_at;
SELECT goal_date, goal_id, department, value, customers FROM tutti.rpt_shared_goals_daily WHERE segment_id = '(all)' AND goal_id IN ('orders', 'sale') ORDER BY 1, 2, 3;
