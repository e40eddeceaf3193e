SELECT identifier_id, erased_at
FROM identity.erased
