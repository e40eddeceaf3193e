SELECT version, hash, policy::text
FROM identity.policies
WHERE is_active
