SELECT version, is_complete, has_orders
FROM identity.policies
WHERE is_active
FOR KEY SHARE
