-- Decisions of the time when such an identifier named a profile name today's profile. Whoever was in it has moved since.
UPDATE suppression.decisions AS d
SET profile_id = i.profile_id
FROM identity.changes AS c
JOIN identity.identifiers AS i ON i.identifier_id = c.identifier_id
JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(i.identifier_id) AND f.kind = 1
WHERE (c.from_profile_id = ANY ($1::uuid[]) OR c.to_profile_id = ANY ($1::uuid[]))
  AND d.request_id = f.event_id AND d.anchor = f.anchor AND d.profile_id = ANY ($1::uuid[])
