SELECT hash, identifier_id, false
FROM identity.found_by
WHERE ctid >= format('(%s,0)', greatest(pg_relation_size('identity.found_by') / 8192 - $1 / 100, 0))::tid AND key_number = $2
LIMIT $1
