SELECT kind, a, b
FROM identity.manual_evidence
WHERE a = ANY ($1::uuid[]) OR b = ANY ($1::uuid[])
ORDER BY id
