-- The next $1 facts that could have another anchor: of one identifier, where that may be another one now.
SELECT anchor, occurred_at, event_id, others
FROM journey.facts
WHERE anchor <> 0 AND (others IS NOT NULL OR EXISTS (SELECT FROM tutti_meta.renamed))
  AND (anchor, occurred_at, event_id) > ((SELECT after_anchor FROM tutti_meta.reanchoring), (SELECT after_at FROM tutti_meta.reanchoring),
                                         (SELECT after_event FROM tutti_meta.reanchoring))
ORDER BY anchor, occurred_at, event_id
LIMIT $1
