-- Takes the opt-outs that earlier erasures left of those who were erased together with one of these identifiers ($1), and did not come
-- back; says how many.
WITH mates AS (
    SELECT m.identifier_id
    FROM identity.erased AS t
    JOIN identity.erased AS m ON m.version = t.version
    WHERE t.identifier_id = ANY ($1::uuid[])
      AND (m.version > 0 OR m.identifier_id = t.identifier_id)
      AND NOT EXISTS (SELECT FROM identity.identifiers AS i WHERE i.identifier_id = m.identifier_id)
), gone AS (
    DELETE FROM suppression.kept_addresses AS k
    USING mates AS m
    WHERE k.address_id = m.identifier_id
), facts AS (
    DELETE FROM suppression.facts AS f
    USING mates AS m
    WHERE f.anchor = tutti_meta.short_key(m.identifier_id) AND f.flags & 16 <> 0
    RETURNING 1
)
SELECT count(*) FROM facts
