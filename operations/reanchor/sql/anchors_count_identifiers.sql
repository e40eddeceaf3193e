-- All identifiers.
SELECT count(*) FROM identity.identifiers
