-- All identifiers of the profiles that an order touches, with their profile now, before and after it; $2 moves from $3 to $4.
SELECT i.identifier_id, coalesce(m.old_profile_id, i.profile_id), coalesce(m.profile_id, i.profile_id), i.profile_id, i.version
FROM identity.identifiers AS i
LEFT JOIN unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS m (identifier_id, old_profile_id, profile_id) USING (identifier_id)
WHERE i.profile_id = ANY ($1::uuid[])
ORDER BY i.first_seen_at, i.identifier_id
