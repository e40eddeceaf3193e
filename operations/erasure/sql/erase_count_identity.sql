-- What the schema identity has of these identifiers, table by table.
WITH m AS (SELECT identifier_id, tutti_meta.short_key(identifier_id) AS anchor FROM unnest($1::uuid[]) AS u (identifier_id))
SELECT 'identity.raw_values', (SELECT count(*) FROM identity.raw_values AS t
        WHERE t.identifier_id IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'identity.changes', (SELECT count(*) FROM identity.changes AS t
        WHERE t.identifier_id IN (SELECT identifier_id FROM m)
           OR t.from_profile_id IN (SELECT identifier_id FROM m) OR t.to_profile_id IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'identity.manual_evidence', (SELECT count(*) FROM identity.manual_evidence AS t
        WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'identity.links', (SELECT count(*) FROM identity.links AS t
        WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'identity.aliases', (SELECT count(*) FROM identity.aliases AS t
        WHERE t.a IN (SELECT identifier_id FROM m) OR t.b IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'identity.identifiers', (SELECT count(*) FROM identity.identifiers AS t
        WHERE t.identifier_id IN (SELECT identifier_id FROM m))::text
