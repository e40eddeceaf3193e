-- The version of the active identity policy.
SELECT (SELECT version FROM identity.policies WHERE is_active)
