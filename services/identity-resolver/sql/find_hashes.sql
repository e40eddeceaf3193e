-- $1: hashes under the current key; $2: the same values' hashes under the previous key, or nil. The ids of those that are
-- known, at most one answer each. An erased identifier answers too: its tombstone must be met.
SELECT u.hash, k.identifier_id, k.is_by_previous
FROM unnest($1::uuid[], $2::uuid[]) AS u (hash, previous)
CROSS JOIN LATERAL (
    SELECT identifier_id, false AS is_by_previous FROM identity.found_by WHERE hash = u.hash
    UNION ALL
    SELECT identifier_id, false FROM identity.identifiers WHERE identifier_id = u.hash
    UNION ALL
    SELECT identifier_id, true FROM identity.found_by WHERE hash = u.previous
    UNION ALL
    SELECT identifier_id, true FROM identity.identifiers WHERE identifier_id = u.previous
    UNION ALL
    SELECT identifier_id, true FROM identity.erased WHERE identifier_id = u.previous
    ORDER BY is_by_previous
    LIMIT 1
) AS k
