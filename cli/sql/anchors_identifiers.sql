-- Who has these short keys; two rows of one key are a collision.
SELECT i.identifier_id, i.profile_id, i.version, i.type
FROM unnest($1::uuid[], $2::uuid[]) AS u (low, high)
CROSS JOIN LATERAL (
    SELECT identifier_id, profile_id, version, type
    FROM identity.identifiers
    WHERE identifier_id BETWEEN u.low AND u.high
    ORDER BY identifier_id
    LIMIT 2
) AS i
