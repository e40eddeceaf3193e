SELECT DISTINCT ON (k.address_id) k.address_id, k.profile_id, k.version
FROM (
    SELECT unnest($1::bigint[]) AS anchor
    UNION
    SELECT m.anchor
    FROM (
        SELECT unnest($2::uuid[]) AS profile_id
        UNION
        SELECT a.profile_id FROM suppression.anchors AS a WHERE a.anchor = ANY ($1::bigint[])
    ) AS p
    JOIN suppression.anchors AS m USING (profile_id)
) AS c
JOIN suppression.known_addresses AS k USING (anchor)
ORDER BY k.address_id, k.version DESC
