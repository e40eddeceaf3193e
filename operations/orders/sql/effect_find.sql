-- Profiles of the identifiers $1, as they are today.
SELECT DISTINCT profile_id FROM identity.identifiers WHERE identifier_id = ANY ($1::uuid[])
