UPDATE identity.policies
SET has_orders = true
WHERE is_active AND NOT has_orders
