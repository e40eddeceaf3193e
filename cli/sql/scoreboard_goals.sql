-- The ladder of shared goals: sums over all days, and for a stock what it was last.
SELECT repeat('  ', g.ladder_level - min(g.ladder_level) OVER ()) || g.goal_id, g.metric, g.unit, coalesce(g.currency, ''),
       to_char(g.value, 'FM999,999,999,990.00'), g.from_date::text, g.to_date::text
FROM (SELECT goal_id, metric, unit, currency, ladder_level::integer AS ladder_level,
             CASE WHEN metric = 'stock' THEN (array_agg(value ORDER BY goal_date DESC))[1] ELSE sum(value) END AS value,
             min(goal_date) AS from_date, max(goal_date) AS to_date
      FROM tutti.rpt_shared_goals_daily
      WHERE segment_id = '(all)' AND department = '(all)' AND channel = '(all)'
      GROUP BY goal_id, metric, unit, currency, ladder_level) g
ORDER BY g.ladder_level, g.goal_id, g.currency
