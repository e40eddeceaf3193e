-- Texts of timezone that are no names, of about a million touchpoints: by source, the most frequent first.
SELECT s.source, count(*)
FROM journey.facts AS f TABLESAMPLE SYSTEM ((SELECT least(100, 100000000 / greatest(reltuples, 1)) FROM pg_class WHERE oid = 'journey.facts'::regclass))
JOIN journey.shapes AS s USING (shape)
WHERE f.zone = -1
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 8
