-- The same values under the key $3.
UPDATE identity.raw_values AS v
SET wrapped_key = w.wrapped_key, key_id = $3
FROM unnest($1::uuid[], $2::bytea[]) AS w (identifier_id, wrapped_key)
WHERE v.identifier_id = w.identifier_id
