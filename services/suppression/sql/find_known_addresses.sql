SELECT anchor, address_id, channels, first_at
FROM suppression.known_addresses
WHERE anchor = ANY ($1::bigint[])
ORDER BY anchor, address_id
