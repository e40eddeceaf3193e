-- Third profiles that both profiles were seen with, and what refused it. Refused links only: an accepted one would have made the
-- third profile one of the two.
WITH seen AS (
    (SELECT m.profile_id, l.b AS third, l.refused_by
     FROM identity.identifiers AS m
     JOIN identity.links AS l ON l.a = m.identifier_id AND l.refused_by <> 0
     WHERE m.profile_id = ANY ($1::uuid[])
     LIMIT 20000)
    UNION ALL
    (SELECT m.profile_id, l.a, l.refused_by
     FROM identity.identifiers AS m
     JOIN identity.links AS l ON l.b = m.identifier_id AND l.refused_by <> 0
     WHERE m.profile_id = ANY ($1::uuid[])
     LIMIT 20000)
), thirds AS (
    SELECT s.profile_id, i.profile_id AS between_profile, min(s.third::text) AS third, min(s.refused_by) AS refused_by,
           bool_or(i.is_quarantined) AS is_quarantined
    FROM seen AS s
    JOIN identity.identifiers AS i ON i.identifier_id = s.third
    WHERE i.profile_id <> ALL ($1::uuid[])
    GROUP BY s.profile_id, i.profile_id
)
SELECT x.between_profile::text, CASE WHEN x.is_quarantined THEN 'quarantined' ELSE '' END,
       tutti_meta.refusal_name(least(x.refused_by, y.refused_by)::integer)
FROM thirds AS x
JOIN thirds AS y USING (between_profile)
WHERE x.profile_id < y.profile_id
ORDER BY x.between_profile
LIMIT 20
