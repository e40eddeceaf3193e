-- What these identifiers become is there: in the profile of the oldest of them, until the review, if it is new. Its links are looked at.
INSERT INTO identity.identifiers AS i (identifier_id, profile_id, first_seen_at, version, type, is_quarantined, has_refused, key_number)
SELECT DISTINCT ON (n.new_id)
       n.new_id, o.profile_id, o.first_seen_at, o.version, o.type, o.is_quarantined, true,
       coalesce((SELECT value::smallint FROM identity.settings WHERE name = 'key_number'), 0::smallint)
FROM tutti_meta.renamed AS n
JOIN identity.identifiers AS o ON o.identifier_id = n.old_id
WHERE n.old_id = ANY ($1::uuid[]) AND n.new_id IS NOT NULL
ORDER BY n.new_id, o.first_seen_at, n.old_id
ON CONFLICT (identifier_id) DO UPDATE
SET first_seen_at = least(i.first_seen_at, excluded.first_seen_at), has_refused = true
