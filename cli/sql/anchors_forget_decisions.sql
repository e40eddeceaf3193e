-- Decisions of the time when such an identifier named a profile name today's profile. Whoever was in it has moved since.
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
WHERE d.request_id = f.event_id AND d.anchor = f.anchor AND d.profile_id IN (SELECT id FROM names)
