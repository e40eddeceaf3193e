SELECT value
FROM identity.settings
WHERE name = $1
