INSERT INTO identity.policies (hash, policy, actor, is_active, has_orders, key_epoch)
SELECT $1, $2::text::jsonb, $3, true, coalesce(bool_or(has_orders), false), coalesce(max(key_epoch), 0)
FROM identity.policies
RETURNING version
