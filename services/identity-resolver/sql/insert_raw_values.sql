INSERT INTO identity.raw_values (identifier_id, key_id, wrapped_key, nonce, sealed)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::bytea[]), unnest($4::bytea[]), unnest($5::bytea[])
ON CONFLICT DO NOTHING
