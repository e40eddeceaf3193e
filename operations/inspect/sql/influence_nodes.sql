-- The influence of each node on a goal, the greatest first; the unprompted conversions last.
-- $1 the goal; $2, $3 days, or null: their months and all between count; $4 the segment.
SELECT node, to_char(steps_in, 'FM999,999,999,990'), to_char(sends, 'FM999,999,999,990'), removal_effect::text,
       to_char(influence, 'FM999,999,999,990.000'), to_char(expected_loss, 'FM999,999,999,990.000')
FROM tutti.influence($1, date_trunc('month', $2::date::timestamp)::date, $3::date, $4)
ORDER BY node = '(unprompted)', influence DESC, node COLLATE "C"
