-- as_of: 2026-12-15T00:00:00Z
-- customers of periods
SELECT period_kind, period_start_date, value, customers
FROM tutti.rpt_shared_goals
WHERE goal_id = 'sale' AND segment_id = '(all)' AND department = '(all)' AND period_kind <> 'day'
ORDER BY array_position(ARRAY['week', 'month', 'quarter'], period_kind), period_start_date;
-- without a customer
SELECT period_kind, period_start_date, value, customers
FROM tutti.rpt_shared_goals
WHERE goal_id = 'sale' AND segment_id = '(all)' AND department = '(unidentified)'
ORDER BY array_position(ARRAY['day', 'week', 'month', 'quarter'], period_kind);
-- who had bought before
SELECT period_kind, period_start_date, value, customers
FROM tutti.rpt_shared_goals
WHERE goal_id = 'sale' AND segment_id = 'recent_buyers' AND department = '(all)' AND period_kind IN ('month', 'quarter')
ORDER BY period_kind, period_start_date;
-- goals of a segment
SELECT goal_date, goal_id, value
FROM tutti.rpt_shared_goals_daily
WHERE goal_id IN ('buyers', 'new_buyers')
ORDER BY goal_date, goal_id;
-- the funnel
SELECT period_start_date, stage, reached, passed_over, seconds_sum, is_fed
FROM tutti.rpt_funnel
WHERE segment_id = '(all)'
ORDER BY period_start_date, array_position(ARRAY['inquiry', 'consideration', 'purchase', 'onboarding', 'retention', 'loyalty', 'advocacy'], stage);
