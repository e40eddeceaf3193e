-- The next values that another key than $1 wraps, after $2.
SELECT identifier_id, key_id, wrapped_key, nonce, sealed
FROM identity.raw_values
WHERE key_id <> $1 AND identifier_id > $2
ORDER BY identifier_id
LIMIT 1000
FOR UPDATE
