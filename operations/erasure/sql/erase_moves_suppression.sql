-- What the map of this schema has not learnt yet of who belongs to these identifiers' profile, and who does not: as identity has it.
SELECT i.identifier_id, i.profile_id, i.version
FROM suppression.anchors AS a
JOIN identity.identifiers AS i ON i.identifier_id = a.anchor_id
WHERE (a.profile_id = ANY ($1::uuid[]) OR a.anchor = ANY ($2::bigint[])) AND i.profile_id <> a.profile_id
