-- Aliases name what these identifiers become. One of a blocked value, or of two that are one identifier now, is void.
WITH gone AS (
    DELETE FROM identity.aliases AS l
    WHERE l.a = ANY ($1::uuid[]) OR l.b = ANY ($1::uuid[])
    RETURNING l.a, l.b, l.topic, l.source
), named AS (
    SELECT CASE WHEN na.old_id IS NULL THEN g.a ELSE na.new_id END AS a,
           CASE WHEN nb.old_id IS NULL THEN g.b ELSE nb.new_id END AS b,
           g.topic, g.source
    FROM gone AS g
    LEFT JOIN tutti_meta.renamed AS na ON na.old_id = g.a
    LEFT JOIN tutti_meta.renamed AS nb ON nb.old_id = g.b
)
INSERT INTO identity.aliases (a, b, topic, source)
SELECT DISTINCT least(a, b), greatest(a, b), topic, source
FROM named
WHERE a <> b
ON CONFLICT DO NOTHING
