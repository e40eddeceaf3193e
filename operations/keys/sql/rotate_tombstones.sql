-- Tombstones that are found by the key before number $1, but not by it, and how many opt-outs were kept of each: first those that have
-- some, then the newest.
SELECT e.identifier_id, e.erased_at, k.opt_outs
FROM identity.erased AS e
CROSS JOIN LATERAL (
    SELECT count(*) AS opt_outs
    FROM suppression.facts AS f
    WHERE f.anchor = tutti_meta.short_key(e.identifier_id) AND f.flags & 16 <> 0
) AS k
WHERE e.key_number <> $1
  AND (e.key_number = $1::smallint - 1
       OR EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1::smallint - 1))
  AND NOT EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1)
ORDER BY k.opt_outs > 0 DESC, e.erased_at DESC, e.identifier_id
LIMIT $2
