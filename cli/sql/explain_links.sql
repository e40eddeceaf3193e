-- Evidence: links of the profile's identifiers, and the touchpoint in which each was first seen. Ends in another profile are
-- links that a rule of the identity policy refused.
WITH members AS MATERIALIZED (SELECT identifier_id FROM identity.identifiers WHERE profile_id = $1),
     found AS (SELECT l.* FROM identity.links l WHERE l.a IN (SELECT identifier_id FROM members)
               UNION
               SELECT l.* FROM identity.links l WHERE l.b IN (SELECT identifier_id FROM members))
SELECT ta.type || ' ' || left(f.a::text, 8), tb.type || ' ' || left(f.b::text, 8), to_char(f.first_seen_at, 'YYYY-MM-DD HH24:MI:SS'),
       f.evidence::text, CASE WHEN ia.profile_id = ib.profile_id THEN '' ELSE 'not joined' END
FROM found f
JOIN identity.identifiers ia ON ia.identifier_id = f.a
JOIN identity.identifiers ib ON ib.identifier_id = f.b
JOIN identity.types ta ON ta.code = ia.type
JOIN identity.types tb ON tb.code = ib.type
ORDER BY f.first_seen_at, f.a, f.b
LIMIT 50
