-- Orders about the profile's identifiers, newest first; for a pair the newest counts.
SELECT to_char(o.made_at, 'YYYY-MM-DD HH24:MI:SS'), o.kind, o.a::text, coalesce(o.b::text, ''), o.actor, o.reason
FROM identity.manual_evidence AS o
WHERE o.a IN (SELECT identifier_id FROM identity.identifiers WHERE profile_id = $1)
   OR o.b IN (SELECT identifier_id FROM identity.identifiers WHERE profile_id = $1)
ORDER BY o.id DESC
LIMIT 50
