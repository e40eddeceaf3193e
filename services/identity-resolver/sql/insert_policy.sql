INSERT INTO identity.policies (hash, policy, actor, is_active, has_orders)
SELECT $1, $2::text::jsonb, $3, true, coalesce(bool_or(has_orders), false)
FROM identity.policies
RETURNING version
