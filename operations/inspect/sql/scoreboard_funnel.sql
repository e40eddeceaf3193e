-- The funnel of the newest six months, one row each: how many journeys reached each stage, and how many per cent of the stage before that is.
-- A stage that no rule or no source feeds is in brackets.
WITH months AS (SELECT DISTINCT period_start_date FROM tutti.rpt_funnel ORDER BY period_start_date DESC LIMIT 6),
     stages AS (SELECT period_start_date, stage, reached, is_fed,
                       array_position(ARRAY['inquiry', 'consideration', 'purchase', 'onboarding', 'retention', 'loyalty', 'advocacy'], stage) AS position
                FROM tutti.rpt_funnel
                JOIN months USING (period_start_date)
                WHERE segment_id = '(all)'),
     shown AS (SELECT period_start_date, position,
                      format(CASE WHEN is_fed THEN '%s%s' ELSE '(%s%s)' END, to_char(reached, 'FM999,999,999,990'),
                             to_char(round(100.0 * reached / nullif(lag(reached) OVER (PARTITION BY period_start_date ORDER BY position), 0)), 'FM" "990"%"'))
                          AS text
               FROM stages)
SELECT to_char(period_start_date, 'YYYY-MM'), max(text) FILTER (WHERE position = 1), max(text) FILTER (WHERE position = 2),
       max(text) FILTER (WHERE position = 3), max(text) FILTER (WHERE position = 4), max(text) FILTER (WHERE position = 5),
       max(text) FILTER (WHERE position = 6), max(text) FILTER (WHERE position = 7)
FROM shown
GROUP BY period_start_date
ORDER BY period_start_date DESC
