-- The text of the active identity policy.
SELECT policy::text FROM identity.policies WHERE is_active
