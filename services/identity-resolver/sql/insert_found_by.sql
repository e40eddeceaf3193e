INSERT INTO identity.found_by (hash, identifier_id, key_number)
SELECT hash, identifier_id, $3
FROM unnest($1::uuid[], $2::uuid[]) AS u (hash, identifier_id)
ORDER BY hash
ON CONFLICT DO NOTHING
