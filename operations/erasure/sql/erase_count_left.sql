-- How many opt-outs earlier erasures left of those who were erased together with one of these identifiers ($1), and did not come back.
SELECT count(*)
FROM suppression.facts AS f
WHERE f.flags & 16 <> 0 AND f.anchor IN (
    SELECT tutti_meta.short_key(m.identifier_id)
    FROM identity.erased AS t
    JOIN identity.erased AS m ON m.version = t.version
    WHERE t.identifier_id = ANY ($1::uuid[])
      AND (m.version > 0 OR m.identifier_id = t.identifier_id)
      AND NOT EXISTS (SELECT FROM identity.identifiers AS i WHERE i.identifier_id = m.identifier_id))
