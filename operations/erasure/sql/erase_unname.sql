-- Other people may once have been in a profile that these identifiers named. They keep the row of that change, without the name,
-- and decisions of that time get the name of today's profile. Rows newer than the erasure ($2) are about a new person.
WITH others AS (
    SELECT DISTINCT c.identifier_id
    FROM identity.changes AS c
    WHERE (c.from_profile_id = ANY ($1::uuid[]) OR c.to_profile_id = ANY ($1::uuid[]))
      AND c.identifier_id <> ALL ($1::uuid[]) AND c.version < $2
), unnamed_changes AS (
    UPDATE identity.changes AS c
    SET from_profile_id = CASE WHEN c.from_profile_id = ANY ($1::uuid[]) THEN n.nil ELSE c.from_profile_id END,
        to_profile_id = CASE WHEN c.to_profile_id = ANY ($1::uuid[]) THEN n.nil ELSE c.to_profile_id END
    FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS nil) AS n
    WHERE (c.from_profile_id = ANY ($1::uuid[]) OR c.to_profile_id = ANY ($1::uuid[]))
      AND c.identifier_id <> ALL ($1::uuid[]) AND c.version < $2
    RETURNING 1
), renamed_decisions AS (
    UPDATE suppression.decisions AS d
    SET profile_id = i.profile_id
    FROM others AS o
    JOIN identity.identifiers AS i USING (identifier_id)
    JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(o.identifier_id)
    WHERE d.request_id = f.event_id AND d.anchor = f.anchor AND d.profile_id = ANY ($1::uuid[])
      AND d.loaded_at <= (SELECT e.made_at FROM identity.erasures AS e WHERE e.version = $2)
    RETURNING 1
)
SELECT 'identity.changes', (SELECT count(*) FROM unnamed_changes)::text
UNION ALL
SELECT 'suppression.decisions', (SELECT count(*) FROM renamed_decisions)::text
