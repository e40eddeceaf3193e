-- Which of the two is in quarantine, and how much it links.
SELECT i.identifier_id::text, t.type,
       ((SELECT count(*) FROM identity.links AS l WHERE l.a = i.identifier_id)
        + (SELECT count(*) FROM identity.links AS l WHERE l.b = i.identifier_id AND l.refused_by <> 0))::text
FROM identity.identifiers AS i
JOIN identity.types AS t ON t.code = i.type
WHERE i.identifier_id = ANY ($1::uuid[]) AND i.is_quarantined
