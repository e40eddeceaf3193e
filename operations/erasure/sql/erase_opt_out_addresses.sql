-- Addresses among these identifiers ($1), and their types: those of the types $2, and those that an erasure kept before.
SELECT i.identifier_id, t.type
FROM identity.identifiers AS i
JOIN identity.types AS t ON t.code = i.type
WHERE i.identifier_id = ANY ($1::uuid[])
  AND (t.type = ANY ($2::text[]) OR EXISTS (SELECT FROM suppression.kept_addresses AS k WHERE k.address_id = i.identifier_id))
ORDER BY i.identifier_id
