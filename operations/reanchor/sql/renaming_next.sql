-- The next identifiers of the type of code $2 after $1, with their sealed values, if those are kept, and the hashes that lead to them.
SELECT i.identifier_id, v.key_id, v.wrapped_key, v.nonce, v.sealed,
       (SELECT string_agg(uuid_send(f.hash), ''::bytea) FROM identity.found_by AS f WHERE f.identifier_id = i.identifier_id)
FROM identity.identifiers AS i
LEFT JOIN identity.raw_values AS v USING (identifier_id)
WHERE i.identifier_id > $1 AND i.type = $2
ORDER BY i.identifier_id
LIMIT 5000
