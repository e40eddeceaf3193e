-- Which nodes to stop. $1 the goal; $2, $3 days, or null: their months and all between count; $4 the segment; $5 percent of all sends.
SELECT to_char(step, 'FM990'), node, to_char(sends, 'FM999,999,999,990'), to_char(sends_saved, 'FM999,999,999,990'),
       to_char(expected_loss, 'FM999,999,999,990.00')
FROM tutti.influence_stops($1, $5::numeric / 100, date_trunc('month', $2::date::timestamp)::date, $3::date, $4)
ORDER BY step
