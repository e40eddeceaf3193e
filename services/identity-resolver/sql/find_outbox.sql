SELECT version, part, profile_id, payload
FROM identity.outbox
WHERE version <= coalesce((SELECT version FROM identity.outbox ORDER BY version, part OFFSET 999 LIMIT 1), 9223372036854775807)
ORDER BY version, part
