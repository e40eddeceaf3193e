SELECT DISTINCT profile_id
FROM identity.identifiers
WHERE profile_id > $1
ORDER BY profile_id
LIMIT $2
