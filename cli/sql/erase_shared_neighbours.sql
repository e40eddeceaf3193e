-- Quarantined identifiers of others that lose a link: they may no longer link too much.
SELECT DISTINCT i.identifier_id
FROM (
    SELECT l.b AS other FROM identity.links AS l WHERE l.a = ANY ($1::uuid[])
    UNION
    SELECT l.a FROM identity.links AS l WHERE l.b = ANY ($1::uuid[])
) AS o
JOIN identity.identifiers AS i ON i.identifier_id = o.other AND i.is_quarantined
WHERE i.identifier_id <> ALL ($1::uuid[])
LIMIT 1000
