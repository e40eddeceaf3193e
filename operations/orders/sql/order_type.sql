-- The type that identifier $1 is stored under.
SELECT type FROM identity.identifiers WHERE identifier_id = $1
