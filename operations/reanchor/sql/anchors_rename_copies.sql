-- Copies (flag 4) under these identifiers: under what those become, where nothing stands yet. Before the walk, on which an original and
-- the copy under its new anchor change places, and after it, when some originals have become copies under former identifiers.
WITH copies AS (
    SELECT f.anchor, f.occurred_at, f.event_id, n.new_id, tutti_meta.short_key(n.new_id) AS new_anchor,
           row_number() OVER (PARTITION BY n.new_id, f.occurred_at, f.event_id ORDER BY f.anchor) AS number
    FROM tutti_meta.renamed AS n
    JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(n.old_id)
    WHERE n.old_id = ANY ($1::uuid[]) AND f.flags & 4 <> 0
), judged AS (
    SELECT c.*, c.new_id IS NOT NULL AND c.number = 1 AND NOT EXISTS (
               SELECT FROM suppression.facts AS t
               WHERE t.anchor = c.new_anchor AND t.occurred_at = c.occurred_at AND t.event_id = c.event_id
           ) AS stays
    FROM copies AS c
), anchors AS (
    INSERT INTO suppression.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT DISTINCT j.new_anchor, tutti_meta.short_key(i.profile_id), i.version, i.identifier_id, i.profile_id
    FROM judged AS j
    JOIN identity.identifiers AS i ON i.identifier_id = j.new_id
    WHERE j.stays
    ORDER BY 1
    ON CONFLICT DO NOTHING
), gone AS (
    DELETE FROM suppression.facts AS f
    USING judged AS j
    WHERE NOT j.stays AND f.anchor = j.anchor AND f.occurred_at = j.occurred_at AND f.event_id = j.event_id
)
UPDATE suppression.facts AS f
SET anchor = j.new_anchor
FROM judged AS j
WHERE j.stays AND f.anchor = j.anchor AND f.occurred_at = j.occurred_at AND f.event_id = j.event_id
