-- Tombstones that are found by the key before number $1, but not by it; the newest first.
SELECT e.identifier_id, e.erased_at
FROM identity.erased AS e
WHERE e.key_number <> $1
  AND (e.key_number = $1::smallint - 1
       OR EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1::smallint - 1))
  AND NOT EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1)
ORDER BY e.erased_at DESC, e.identifier_id
LIMIT $2
