-- Links of an identifier. Accepted ones end in its own profile, and only refused ones are indexed by their second end.
SELECT (SELECT count(*) FROM identity.links AS l WHERE l.a = $1)
     + (SELECT count(*) FROM identity.links AS l WHERE l.b = $1 AND l.refused_by <> 0)
     + (SELECT count(*)
        FROM identity.identifiers AS i
        JOIN identity.identifiers AS m USING (profile_id)
        JOIN identity.links AS l ON l.a = m.identifier_id AND l.b = i.identifier_id
        WHERE i.identifier_id = $1 AND l.refused_by = 0)
