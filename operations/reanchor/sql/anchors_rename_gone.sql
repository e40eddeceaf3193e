-- These identifiers are no more.
WITH gone_values AS (DELETE FROM identity.raw_values AS t WHERE t.identifier_id = ANY ($1::uuid[])),
     gone_hashes AS (DELETE FROM identity.found_by AS t WHERE t.identifier_id = ANY ($1::uuid[]))
DELETE FROM identity.identifiers AS t WHERE t.identifier_id = ANY ($1::uuid[])
