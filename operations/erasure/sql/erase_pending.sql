-- The oldest erasure that was interrupted, with its identifiers.
SELECT t.identifier_id, e.version
FROM (SELECT version FROM identity.erasures WHERE NOT is_complete ORDER BY version LIMIT 1) AS e
LEFT JOIN identity.erased AS t ON t.version = e.version
ORDER BY t.identifier_id
