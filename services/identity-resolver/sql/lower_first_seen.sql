UPDATE identity.identifiers i
SET first_seen_at = u.first_seen_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS u (identifier_id, first_seen_at)
WHERE i.identifier_id = u.identifier_id AND u.first_seen_at < i.first_seen_at
