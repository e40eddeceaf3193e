-- Evidence: links of the profile's identifiers, and the touchpoint in which each was first seen. Links that a rule of the identity
-- policy refused say which; the other end is usually in another profile.
WITH members AS MATERIALIZED (SELECT identifier_id FROM identity.identifiers WHERE profile_id = $1),
     found AS (SELECT l.* FROM identity.links l WHERE l.a IN (SELECT identifier_id FROM members)
               UNION
               SELECT l.* FROM identity.links l WHERE l.b IN (SELECT identifier_id FROM members) AND l.refused_by <> 0)
SELECT ta.type || ' ' || left(f.a::text, 8), tb.type || ' ' || left(f.b::text, 8), to_char(f.first_seen_at, 'YYYY-MM-DD HH24:MI:SS'),
       f.evidence::text,
       concat_ws(', ', CASE WHEN f.is_indirect THEN 'with a stronger identifier' END,
                 CASE WHEN f.refused_by <> 0 THEN 'refused: ' || tutti_meta.refusal_name(f.refused_by::integer)
                      WHEN ia.profile_id <> ib.profile_id THEN 'not joined' END)
FROM found f
JOIN identity.identifiers ia ON ia.identifier_id = f.a
JOIN identity.identifiers ib ON ib.identifier_id = f.b
JOIN identity.types ta ON ta.code = ia.type
JOIN identity.types tb ON tb.code = ib.type
ORDER BY f.first_seen_at, f.a, f.b
LIMIT 50
