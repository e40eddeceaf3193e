SELECT version, part, profile_id, payload
FROM identity.outbox
ORDER BY version, part
LIMIT 1000
