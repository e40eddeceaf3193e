-- Orders in the sequence in which they were given.
SELECT kind, a, b FROM identity.manual_evidence ORDER BY id
