SELECT EXISTS (
    SELECT
    FROM (
        SELECT unnest($2::uuid[]) AS profile_id
        UNION
        SELECT a.profile_id FROM suppression.anchors AS a WHERE a.anchor = ANY ($1::bigint[])
    ) AS p
    JOIN suppression.states AS s ON s.profile = tutti_meta.short_key(p.profile_id)
    WHERE s.payload <> ''
)
