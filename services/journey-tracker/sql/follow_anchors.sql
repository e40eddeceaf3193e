-- All identifiers of these profiles ($1), also where a profile is shared.
SELECT a.anchor
FROM unnest($1::bigint[]) AS u (profile)
CROSS JOIN LATERAL (SELECT lpad(to_hex(u.profile), 16, '0') AS key) AS k
CROSS JOIN LATERAL (
    SELECT anchor
    FROM journey.anchors
    WHERE profile_id BETWEEN (k.key || repeat('0', 16))::uuid AND (k.key || repeat('f', 16))::uuid
    OFFSET 0
) AS a
ORDER BY a.anchor
