INSERT INTO identity.policies (hash, policy, is_active, is_complete)
SELECT $1, $2::text::jsonb, true, NOT EXISTS (SELECT FROM identity.identifiers)
WHERE NOT EXISTS (SELECT FROM identity.policies WHERE is_active)
ON CONFLICT DO NOTHING
