SELECT a, b, first_seen_at, evidence
FROM identity.links
WHERE a = ANY ($1::uuid[])
