-- Aliases that sources told, between the identifiers of these profiles.
SELECT l.a, l.b, l.topic, l.source
FROM identity.identifiers AS i
JOIN identity.aliases AS l ON l.a = i.identifier_id
JOIN identity.identifiers AS o ON o.identifier_id = l.b
WHERE i.profile_id = ANY ($1::uuid[]) AND o.profile_id = ANY ($1::uuid[])
