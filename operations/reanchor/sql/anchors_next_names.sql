-- The next $1 identifiers that become others, with the sealed values that are kept of them.
SELECT n.old_id, n.new_id, v.key_id, v.wrapped_key, v.nonce, v.sealed
FROM tutti_meta.renamed AS n
LEFT JOIN identity.raw_values AS v ON v.identifier_id = n.old_id
WHERE n.old_id > (SELECT after_id FROM tutti_meta.reanchoring)
ORDER BY n.old_id
LIMIT $1
