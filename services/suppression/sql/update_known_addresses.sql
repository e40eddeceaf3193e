UPDATE suppression.known_addresses AS k
SET first_at = least(k.first_at, u.first_at), channels = u.channels
FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::timestamptz[]) AS u (anchor, address_id, channels, first_at)
WHERE k.anchor = u.anchor AND k.address_id = u.address_id
