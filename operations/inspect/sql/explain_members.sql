-- Identifiers of profile $1, oldest first: the first one names the profile.
SELECT m.profile_id::text, m.identifier_id::text, t.type, to_char(m.first_seen_at, 'YYYY-MM-DD HH24:MI:SS'),
       CASE WHEN m.is_quarantined THEN 'quarantined: a shared profile, no journey, no figures, no contacts'
            WHEN m.identifier_id = m.profile_id THEN 'names the profile'
            ELSE '' END
FROM identity.identifiers m
JOIN identity.types t ON t.code = m.type
WHERE m.profile_id = $1
ORDER BY m.first_seen_at, m.identifier_id
