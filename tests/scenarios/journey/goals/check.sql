-- as_of: 2026-12-15T00:00:00Z
-- customers of windows
SELECT goal_id, period_kind, period_start_date, value, customers
FROM tutti.rpt_shared_goals
WHERE goal_id IN ('w1_visits', 'w2_visits') AND department = '(all)' AND segment_id = '(all)' AND period_kind <> 'day';
-- funnel
SELECT period_start_date, stage, reached, passed_over, seconds_sum
FROM tutti.rpt_funnel
WHERE segment_id = '(all)' AND reached > 0 AND period_start_date < '2024-01-01';
