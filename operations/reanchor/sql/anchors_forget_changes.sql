-- The history is that of what these identifiers became, and profiles that they named have its name. The nil id: they became nothing.
WITH names AS (
    SELECT unnest($1::uuid[]) AS id
), named AS (
    SELECT c.version, c.identifier_id,
           CASE WHEN ni.old_id IS NULL THEN c.identifier_id ELSE ni.new_id END AS new_id,
           CASE WHEN nf.old_id IS NULL THEN c.from_profile_id ELSE coalesce(nf.new_id, gone.id) END AS from_id,
           CASE WHEN nt.old_id IS NULL THEN c.to_profile_id ELSE coalesce(nt.new_id, gone.id) END AS to_id
    FROM identity.changes AS c
    CROSS JOIN (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id) AS gone
    LEFT JOIN tutti_meta.renamed AS ni ON ni.old_id = c.identifier_id
    LEFT JOIN tutti_meta.renamed AS nf ON nf.old_id = c.from_profile_id
    LEFT JOIN tutti_meta.renamed AS nt ON nt.old_id = c.to_profile_id
    WHERE c.identifier_id IN (SELECT id FROM names) OR c.from_profile_id IN (SELECT id FROM names)
       OR c.to_profile_id IN (SELECT id FROM names)
), judged AS (
    SELECT n.*,
           n.new_id IS NOT NULL AND n.from_id <> n.to_id
           AND row_number() OVER (PARTITION BY n.version, n.new_id ORDER BY n.new_id <> n.identifier_id, n.identifier_id) = 1
           AND (n.new_id = n.identifier_id OR NOT EXISTS (
               SELECT FROM identity.changes AS t WHERE t.version = n.version AND t.identifier_id = n.new_id)) AS stays
    FROM named AS n
), gone AS (
    DELETE FROM identity.changes AS c USING judged AS j WHERE NOT j.stays AND c.version = j.version AND c.identifier_id = j.identifier_id
)
UPDATE identity.changes AS c
SET identifier_id = j.new_id, from_profile_id = j.from_id, to_profile_id = j.to_id
FROM judged AS j
WHERE j.stays AND c.version = j.version AND c.identifier_id = j.identifier_id
