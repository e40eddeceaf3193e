-- The conversions of the paths to a goal, and their sends; null where there are no steps.
-- $1 the goal; $2, $3 days, or null: their months and all between count; $4 the segment.
SELECT to_char(max(path_conversions) + max(unprompted_conversions), 'FM999,999,999,990'),
       to_char(max(path_conversions), 'FM999,999,999,990'), to_char(max(unprompted_conversions), 'FM999,999,999,990'),
       max(p)::text, to_char(sum(sends), 'FM999,999,999,990')
FROM tutti.influence($1, date_trunc('month', $2::date::timestamp)::date, $3::date, $4)
