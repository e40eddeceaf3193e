-- What the identifiers with these short keys are now; two rows of one key are a collision. No identifier: it was blocked.
SELECT n.name, i.identifier_id, i.profile_id, i.version, i.type
FROM unnest($1::uuid[], $2::uuid[]) AS u (low, high)
CROSS JOIN LATERAL (
    SELECT identifier_id AS name, identifier_id FROM identity.identifiers WHERE identifier_id BETWEEN u.low AND u.high
    UNION ALL
    SELECT old_id, new_id FROM tutti_meta.renamed WHERE old_id BETWEEN u.low AND u.high
    LIMIT 2
) AS n
LEFT JOIN identity.identifiers AS i USING (identifier_id)
