SELECT version, is_complete, has_orders, key_epoch, tutti_meta.hold_erasures()
FROM identity.policies
WHERE is_active
FOR KEY SHARE
