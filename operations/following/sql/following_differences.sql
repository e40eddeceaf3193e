-- What differs, in the order of the figures.
SELECT figure, of, unit, trim_scale(coalesce(n.value, 0))::text, trim_scale(coalesce(c.value, 0))::text,
       CASE WHEN coalesce(c.value, 0) > coalesce(n.value, 0) THEN '+' ELSE '' END || trim_scale(coalesce(c.value, 0) - coalesce(n.value, 0))::text
FROM (SELECT figure, of, unit, value FROM figures WHERE NOT is_candidate) AS n
FULL JOIN (SELECT figure, of, unit, value FROM figures WHERE is_candidate) AS c USING (figure, of, unit)
WHERE coalesce(n.value, 0) <> coalesce(c.value, 0)
ORDER BY array_position(ARRAY['goal', 'conversions', 'revenue', 'stage', 'status', 'segment', 'map', 'opportunities'], figure), of, unit
