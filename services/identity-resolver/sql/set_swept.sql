UPDATE identity.policies
SET swept_to = $1
WHERE is_active
