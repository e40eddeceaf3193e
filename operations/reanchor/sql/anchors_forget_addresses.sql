-- Addresses whose profile had one of these names are in the profile that they are in today.
UPDATE suppression.known_addresses AS k
SET profile_id = i.profile_id, version = i.version
FROM identity.identifiers AS i
WHERE k.profile_id = ANY ($1::uuid[]) AND i.identifier_id = k.address_id
