SELECT l.a, l.b, l.first_seen_at, l.evidence, l.refused_by, l.is_indirect
FROM identity.links AS l
JOIN identity.identifiers AS i ON i.identifier_id = l.b
WHERE l.a = ANY ($1::uuid[]) AND i.is_quarantined
UNION ALL
SELECT l.a, l.b, l.first_seen_at, l.evidence, l.refused_by, l.is_indirect
FROM identity.links AS l
JOIN identity.identifiers AS i ON i.identifier_id = l.a
WHERE l.b = ANY ($1::uuid[]) AND l.refused_by <> 0 AND i.is_quarantined
