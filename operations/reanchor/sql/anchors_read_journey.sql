-- The next $1 facts that name someone: each may have another anchor now, and says which addresses its customer was seen with.
SELECT f.anchor, f.occurred_at, f.event_id, f.others, s.direction, s.type, s.event
FROM journey.facts AS f
JOIN journey.shapes AS s USING (shape)
WHERE f.anchor <> 0
  AND (f.anchor, f.occurred_at, f.event_id) > ((SELECT after_anchor FROM tutti_meta.reanchoring), (SELECT after_at FROM tutti_meta.reanchoring),
                                               (SELECT after_event FROM tutti_meta.reanchoring))
ORDER BY f.anchor, f.occurred_at, f.event_id
LIMIT $1
