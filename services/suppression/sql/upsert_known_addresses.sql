INSERT INTO suppression.known_addresses AS k (anchor, address_id, channels, first_at, profile_id, version)
SELECT unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::timestamptz[]), unnest($5::uuid[]), unnest($6::bigint[])
ON CONFLICT (anchor, address_id) DO UPDATE
SET first_at = least(k.first_at, excluded.first_at), channels = excluded.channels, version = greatest(k.version, excluded.version),
    profile_id = CASE WHEN excluded.version > k.version THEN excluded.profile_id ELSE k.profile_id END
WHERE excluded.first_at < k.first_at OR excluded.channels <> k.channels OR excluded.version > k.version
