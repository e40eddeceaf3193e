-- The newest period of each kind: of goals that count its customers, and of every target.
SELECT goal_id, department, period_kind, period_start_date::text, coalesce(currency, ''), to_char(value, 'FM999,999,999,990.00'),
       coalesce(to_char(target, 'FM999,999,999,990.00'), ''), coalesce(to_char(customers, 'FM999,999,999,990'), ''),
       coalesce(to_char(nullif(corrected_value, 0), 'FM999,999,999,990.00'), '')
FROM (
    SELECT DISTINCT ON (goal_id, department, period_kind, currency)
           ladder_level, goal_id, department, period_kind, period_start_date, currency, value, target, customers, corrected_value
    FROM tutti.rpt_shared_goals
    WHERE segment_id = '(all)' AND (target IS NOT NULL OR (customers IS NOT NULL AND period_kind <> 'day'))
    ORDER BY goal_id, department, period_kind, currency, period_start_date DESC
) AS newest
ORDER BY ladder_level, goal_id, department, array_position(ARRAY['day', 'week', 'month', 'quarter'], period_kind), currency
