-- The next $1 facts that could have another anchor. A fact of one identifier is among them where that may be another one now.
-- A copy (flag 4) names no other identifier: it follows its original.
SELECT anchor, occurred_at, event_id, others, addresses
FROM suppression.facts
WHERE (others IS NOT NULL OR EXISTS (SELECT FROM tutti_meta.renamed)) AND flags & 4 = 0
  AND (anchor, occurred_at, event_id) > ((SELECT after_anchor FROM tutti_meta.reanchoring), (SELECT after_at FROM tutti_meta.reanchoring),
                                         (SELECT after_event FROM tutti_meta.reanchoring))
ORDER BY anchor, occurred_at, event_id
LIMIT $1
