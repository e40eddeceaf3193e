SELECT u.number, k.first_at <= u.first_at AND k.channels = u.channels
FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::timestamptz[]) WITH ORDINALITY AS u (anchor, address_id, channels, first_at, number)
JOIN suppression.known_addresses AS k USING (anchor, address_id)
