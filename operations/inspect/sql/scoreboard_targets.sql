-- The newest period of every target that has a value.
SELECT goal_id, department, period_kind, period_start_date::text, coalesce(currency, ''), to_char(value, 'FM999,999,999,990.00'),
       to_char(target, 'FM999,999,999,990.00')
FROM (
    SELECT DISTINCT ON (goal_id, department, period_kind, currency)
           ladder_level, goal_id, department, period_kind, period_start_date, currency, value, target
    FROM tutti.rpt_shared_goals
    WHERE target IS NOT NULL
    ORDER BY goal_id, department, period_kind, currency, period_start_date DESC
) AS newest
ORDER BY ladder_level, goal_id, department, array_position(ARRAY['day', 'week', 'month', 'quarter'], period_kind), currency
