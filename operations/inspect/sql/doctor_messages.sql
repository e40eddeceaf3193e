-- Message ids that were used again at another time, of about a million touchpoints: by source, the most frequent first.
SELECT s.source, count(*)
FROM (
    SELECT min(f.shape) AS shape
    FROM journey.facts AS f TABLESAMPLE SYSTEM ((SELECT least(100, 100000000 / greatest(reltuples, 1)) FROM pg_class WHERE oid = 'journey.facts'::regclass))
    GROUP BY f.event_id
    HAVING min(f.occurred_at) <> max(f.occurred_at)
) AS f
JOIN journey.shapes AS s USING (shape)
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 8
