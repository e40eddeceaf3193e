-- Hashes under the key of number $4, of identifiers that are really found by the hash under the key before.
WITH added AS (
    INSERT INTO identity.found_by (hash, identifier_id, key_number)
    SELECT u.hash, u.identifier_id, $4
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (hash, previous, identifier_id)
    WHERE u.previous = u.identifier_id
       OR EXISTS (SELECT FROM identity.found_by AS f WHERE f.hash = u.previous AND f.identifier_id = u.identifier_id)
    ORDER BY u.hash
    ON CONFLICT DO NOTHING
    RETURNING identifier_id
)
SELECT count(*) FROM added
