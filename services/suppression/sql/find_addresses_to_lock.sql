SELECT i.identifier_id, i.profile_id, i.version
FROM (
    SELECT DISTINCT k.address_id
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
) AS w
JOIN identity.places AS i ON i.identifier_id = w.address_id
