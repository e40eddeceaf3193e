-- The profile of identifier $1.
SELECT profile_id FROM identity.identifiers WHERE identifier_id = $1
