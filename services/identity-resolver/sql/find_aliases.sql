SELECT a, b, topic, source
FROM identity.aliases
WHERE a = ANY ($1::uuid[])
UNION ALL
SELECT a, b, topic, source
FROM identity.aliases
WHERE b = ANY ($1::uuid[])
