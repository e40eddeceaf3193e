-- The next raw values after $1 whose identifiers have no hash under the key of number $2.
SELECT v.identifier_id, v.key_id, v.wrapped_key, v.nonce, v.sealed, t.type
FROM identity.raw_values AS v
JOIN identity.identifiers AS i ON i.identifier_id = v.identifier_id
JOIN identity.types AS t ON t.code = i.type
WHERE v.identifier_id > $1 AND i.key_number <> $2
  AND NOT EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = v.identifier_id AND f.key_number = $2)
ORDER BY v.identifier_id
LIMIT 1000
