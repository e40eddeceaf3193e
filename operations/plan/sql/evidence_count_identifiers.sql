SELECT count(*) FROM identity.identifiers
