SELECT version
FROM identity.policies
WHERE is_active AND NOT has_orders
