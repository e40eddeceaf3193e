-- Decisions of the time when a former identifier named a profile name today's profile: of everybody whose history is about to be
-- rewritten, whichever former profile it was, because that history tells of it no longer then.
WITH names AS (
    SELECT unnest($1::uuid[]) AS id
), moved AS (
    SELECT c.identifier_id FROM identity.changes AS c JOIN names AS n ON n.id = c.from_profile_id
    UNION
    SELECT c.identifier_id FROM identity.changes AS c JOIN names AS n ON n.id = c.to_profile_id
)
UPDATE suppression.decisions AS d
SET profile_id = i.profile_id
FROM moved AS m
JOIN identity.identifiers AS i ON i.identifier_id = m.identifier_id
JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(i.identifier_id) AND f.kind = 1
WHERE d.request_id = f.event_id AND d.anchor = f.anchor AND d.profile_id IN (SELECT old_id FROM tutti_meta.renamed)
