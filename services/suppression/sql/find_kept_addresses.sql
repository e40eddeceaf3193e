SELECT p.identifier_id, p.profile_id, p.version
FROM unnest($1::uuid[]) AS u (address_id)
JOIN suppression.kept_addresses AS k USING (address_id)
JOIN identity.places AS p ON p.identifier_id = u.address_id
