SELECT a, b, first_seen_at, evidence, refused_by, is_indirect
FROM identity.links
WHERE a = ANY ($1::uuid[])
UNION ALL
SELECT a, b, first_seen_at, evidence, refused_by, is_indirect
FROM identity.links
WHERE b = ANY ($1::uuid[]) AND refused_by <> 0
