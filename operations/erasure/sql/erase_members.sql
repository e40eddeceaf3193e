-- All identifiers of the profile of $1.
SELECT m.identifier_id
FROM identity.identifiers AS i
JOIN identity.identifiers AS m USING (profile_id)
WHERE i.identifier_id = $1
ORDER BY m.identifier_id
