-- Scores that look like raw answers, of about a million touchpoints: by source and kind, the most frequent first.
SELECT s.source, coalesce(s.score_kind, '-'), count(*)
FROM journey.facts AS f TABLESAMPLE SYSTEM ((SELECT least(100, 100000000 / greatest(reltuples, 1)) FROM pg_class WHERE oid = 'journey.facts'::regclass))
JOIN journey.shapes AS s USING (shape)
WHERE f.score BETWEEN 1 AND 10
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT 8
