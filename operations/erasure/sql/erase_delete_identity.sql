-- Removes what the schema identity has of these identifiers, and says how much it was, table by table. Only links that were refused
-- lead to others. A sweep that stood at this person starts again.
WITH gone_raw_values AS (DELETE FROM identity.raw_values AS t WHERE t.identifier_id = ANY ($1::uuid[]) RETURNING 1),
     gone_changes AS (DELETE FROM identity.changes AS t WHERE t.identifier_id = ANY ($1::uuid[]) RETURNING 1),
     gone_manual_evidence AS (DELETE FROM identity.manual_evidence AS t
         WHERE t.a = ANY ($1::uuid[]) OR t.b = ANY ($1::uuid[]) RETURNING 1),
     gone_links AS (DELETE FROM identity.links AS t
         WHERE t.a = ANY ($1::uuid[]) OR (t.b = ANY ($1::uuid[]) AND t.refused_by <> 0) RETURNING 1),
     gone_aliases AS (DELETE FROM identity.aliases AS t WHERE t.a = ANY ($1::uuid[]) OR t.b = ANY ($1::uuid[]) RETURNING 1),
     gone_position AS (UPDATE identity.policies AS t SET swept_to = NULL WHERE t.swept_to = ANY ($1::uuid[])),
     gone_identifiers AS (DELETE FROM identity.identifiers AS t WHERE t.identifier_id = ANY ($1::uuid[]) RETURNING 1)
SELECT 'identity.raw_values', (SELECT count(*) FROM gone_raw_values)::text
UNION ALL
SELECT 'identity.changes', (SELECT count(*) FROM gone_changes)::text
UNION ALL
SELECT 'identity.manual_evidence', (SELECT count(*) FROM gone_manual_evidence)::text
UNION ALL
SELECT 'identity.links', (SELECT count(*) FROM gone_links)::text
UNION ALL
SELECT 'identity.aliases', (SELECT count(*) FROM gone_aliases)::text
UNION ALL
SELECT 'identity.identifiers', (SELECT count(*) FROM gone_identifiers)::text
