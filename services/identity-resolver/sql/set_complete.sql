UPDATE identity.policies
SET is_complete = true
WHERE is_active
