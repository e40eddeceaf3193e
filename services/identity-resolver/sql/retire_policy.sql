UPDATE identity.policies
SET is_active = false
WHERE is_active
