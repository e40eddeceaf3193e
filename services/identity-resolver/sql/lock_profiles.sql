SELECT profile_id
FROM identity.profiles
WHERE profile_id = ANY ($1::uuid[])
ORDER BY profile_id
FOR NO KEY UPDATE
