DELETE FROM identity.types
