UPDATE identity.identifiers AS i
SET profile_id = u.profile_id, first_seen_at = u.first_seen_at, version = u.version, is_quarantined = u.is_quarantined,
    has_refused = u.has_refused
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::boolean[], $6::boolean[])
    AS u (identifier_id, profile_id, first_seen_at, version, is_quarantined, has_refused)
WHERE i.identifier_id = u.identifier_id
