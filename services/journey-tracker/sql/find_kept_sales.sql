-- The next $2 sales of erased people after $1.
SELECT id, (day::timestamp AT TIME ZONE (SELECT zone FROM tutti_meta.active)) AS occurred_at, shape, value_micros, margin_micros
FROM journey.kept_sales
WHERE id > $1
ORDER BY id
LIMIT $2
