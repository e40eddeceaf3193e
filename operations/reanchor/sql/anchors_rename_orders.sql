-- Operators' orders name what these identifiers become. An order about a blocked one, or about a pair that is one now, is void.
WITH named AS (
    SELECT m.id, m.kind,
           CASE WHEN na.old_id IS NULL THEN m.a ELSE na.new_id END AS a,
           CASE WHEN nb.old_id IS NULL THEN m.b ELSE nb.new_id END AS b
    FROM identity.manual_evidence AS m
    LEFT JOIN tutti_meta.renamed AS na ON na.old_id = m.a
    LEFT JOIN tutti_meta.renamed AS nb ON nb.old_id = m.b
    WHERE m.a = ANY ($1::uuid[]) OR m.b = ANY ($1::uuid[])
), judged AS (
    SELECT id, a, b, coalesce(a IS NOT NULL AND (kind = 'release' OR a <> b), false) AS holds FROM named
), gone AS (
    DELETE FROM identity.manual_evidence AS m USING judged AS j WHERE m.id = j.id AND NOT j.holds
)
UPDATE identity.manual_evidence AS m SET a = j.a, b = j.b FROM judged AS j WHERE m.id = j.id AND j.holds
