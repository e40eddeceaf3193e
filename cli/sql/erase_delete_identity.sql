-- Removes what the schema identity has of these identifiers, and says how much it was, table by table.
WITH m AS (SELECT identifier_id, tutti_meta.short_key(identifier_id) AS anchor FROM unnest($1::uuid[]) AS u (identifier_id)),
     gone_raw_values AS (DELETE FROM identity.raw_values AS t WHERE t.identifier_id IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_changes AS (DELETE FROM identity.changes AS t WHERE t.identifier_id IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_manual_evidence AS (DELETE FROM identity.manual_evidence AS t
         WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_links AS (DELETE FROM identity.links AS t
         WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_identifiers AS (DELETE FROM identity.identifiers AS t
         WHERE t.identifier_id IN (SELECT identifier_id FROM m) RETURNING 1)
SELECT 'identity.raw_values', (SELECT count(*) FROM gone_raw_values)::text
UNION ALL
SELECT 'identity.changes', (SELECT count(*) FROM gone_changes)::text
UNION ALL
SELECT 'identity.manual_evidence', (SELECT count(*) FROM gone_manual_evidence)::text
UNION ALL
SELECT 'identity.links', (SELECT count(*) FROM gone_links)::text
UNION ALL
SELECT 'identity.identifiers', (SELECT count(*) FROM gone_identifiers)::text
