-- The ladder of shared goals: sums over all days, and for a stock what it was last.
WITH RECURSIVE sums AS (
    SELECT goal_id, parent_goal_id, metric, unit, currency,
           CASE WHEN metric = 'stock' THEN (array_agg(value ORDER BY goal_date DESC))[1] ELSE sum(value) END AS value,
           min(goal_date) AS from_date, max(goal_date) AS to_date
    FROM tutti.rpt_shared_goals_daily
    WHERE segment_id = '(all)' AND department = '(all)' AND channel = '(all)'
    GROUP BY goal_id, parent_goal_id, metric, unit, currency),
goals AS (SELECT DISTINCT goal_id, parent_goal_id FROM sums),
ladder AS (
    SELECT goal_id, ARRAY[goal_id] AS path
    FROM goals
    WHERE parent_goal_id IS NULL OR parent_goal_id NOT IN (SELECT goal_id FROM goals)
    UNION ALL
    SELECT g.goal_id, l.path || g.goal_id
    FROM ladder l
    JOIN goals g ON g.parent_goal_id = l.goal_id)
SELECT repeat('  ', cardinality(l.path) - 1) || s.goal_id, s.metric, s.unit, coalesce(s.currency, ''),
       to_char(s.value, 'FM999,999,999,990.00'), s.from_date::text, s.to_date::text
FROM sums s
JOIN ladder l USING (goal_id)
ORDER BY l.path, s.currency
