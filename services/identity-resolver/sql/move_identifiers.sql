UPDATE identity.identifiers i
SET profile_id = u.profile_id, version = $3
FROM unnest($1::uuid[], $2::uuid[]) AS u (identifier_id, profile_id)
WHERE i.identifier_id = u.identifier_id
