INSERT INTO identity.profiles (profile_id)
SELECT unnest($1::uuid[])
ON CONFLICT DO NOTHING
