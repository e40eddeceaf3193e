-- Identifiers of others that were linked with the person's, and whether they are in quarantine: they may no longer link too much.
SELECT u.identifier_id, coalesce(i.is_quarantined, false)
FROM identity.erasures AS e
CROSS JOIN LATERAL unnest(e.linked) AS u (identifier_id)
LEFT JOIN identity.identifiers AS i ON i.identifier_id = u.identifier_id
WHERE e.version = $1
ORDER BY u.identifier_id
