SELECT identifier_id, profile_id, first_seen_at, version
FROM identity.identifiers
WHERE identifier_id = ANY ($1::uuid[])
