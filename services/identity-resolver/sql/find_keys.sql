SELECT coalesce((SELECT key_epoch FROM identity.policies WHERE is_active), 0),
       max(value) FILTER (WHERE name = 'key_fingerprint')::uuid,
       max(value) FILTER (WHERE name = 'next_key_fingerprint')::uuid,
       max(value) FILTER (WHERE name = 'previous_key_fingerprint')::uuid,
       coalesce(max(value) FILTER (WHERE name = 'key_number'), '0')::smallint
FROM identity.settings
