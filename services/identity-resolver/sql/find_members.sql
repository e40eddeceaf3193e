SELECT identifier_id, profile_id, first_seen_at, version, type, is_quarantined, has_refused
FROM identity.identifiers
WHERE profile_id = ANY ($1::uuid[])
