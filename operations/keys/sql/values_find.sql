-- The sealed value of an identifier.
SELECT identifier_id, key_id, wrapped_key, nonce, sealed FROM identity.raw_values WHERE identifier_id = $1
