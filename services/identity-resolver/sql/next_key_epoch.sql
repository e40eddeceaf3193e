UPDATE identity.policies
SET key_epoch = key_epoch + 1
WHERE is_active
RETURNING key_epoch
