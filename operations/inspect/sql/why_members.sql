-- The identifiers of two profiles, and whether each is of the first.
SELECT i.identifier_id, i.first_seen_at, i.type, i.is_quarantined, i.profile_id = ($1::uuid[])[1]
FROM identity.identifiers AS i
WHERE i.profile_id = ANY ($1::uuid[])
