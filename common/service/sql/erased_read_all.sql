SELECT identifier_id, erased_at, version FROM identity.erased
