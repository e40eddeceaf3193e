SELECT o.id, i.type, count(*)
FROM unnest($1::uuid[]) AS o (id)
CROSS JOIN LATERAL (
    SELECT b AS other FROM identity.links WHERE a = o.id
    UNION ALL
    SELECT a FROM identity.links WHERE b = o.id AND refused_by <> 0
) AS l
JOIN identity.identifiers AS i ON i.identifier_id = l.other
GROUP BY o.id, i.type
