-- Removes what the schema identity has of these identifiers, and says how much it was, table by table. Whoever was once in a
-- profile that they name keeps the row of that change, without the name.
WITH m AS (SELECT identifier_id, tutti_meta.short_key(identifier_id) AS anchor FROM unnest($1::uuid[]) AS u (identifier_id)),
     gone_raw_values AS (DELETE FROM identity.raw_values AS t WHERE t.identifier_id IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_changes AS (DELETE FROM identity.changes AS t WHERE t.identifier_id IN (SELECT identifier_id FROM m) RETURNING 1),
     unnamed_changes AS (UPDATE identity.changes AS t
         SET from_profile_id = CASE WHEN t.from_profile_id IN (SELECT identifier_id FROM m) THEN nil ELSE t.from_profile_id END,
             to_profile_id = CASE WHEN t.to_profile_id IN (SELECT identifier_id FROM m) THEN nil ELSE t.to_profile_id END
         FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS nil) AS n
         WHERE t.identifier_id NOT IN (SELECT identifier_id FROM m)
           AND (t.from_profile_id IN (SELECT identifier_id FROM m) OR t.to_profile_id IN (SELECT identifier_id FROM m))
         RETURNING 1),
     gone_manual_evidence AS (DELETE FROM identity.manual_evidence AS t
         WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_links AS (DELETE FROM identity.links AS t
         WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m) RETURNING 1),
     gone_identifiers AS (DELETE FROM identity.identifiers AS t
         WHERE t.identifier_id IN (SELECT identifier_id FROM m) RETURNING 1)
SELECT 'identity.raw_values', (SELECT count(*) FROM gone_raw_values)::text
UNION ALL
SELECT 'identity.changes', ((SELECT count(*) FROM gone_changes) + (SELECT count(*) FROM unnamed_changes))::text
UNION ALL
SELECT 'identity.manual_evidence', (SELECT count(*) FROM gone_manual_evidence)::text
UNION ALL
SELECT 'identity.links', (SELECT count(*) FROM gone_links)::text
UNION ALL
SELECT 'identity.identifiers', (SELECT count(*) FROM gone_identifiers)::text
