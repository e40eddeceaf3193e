SELECT a, b, first_seen_at, evidence, refused_by, is_indirect
FROM identity.links
WHERE ctid >= format('(%s,0)', greatest(pg_relation_size('identity.links') / 8192 - $1 / 50, 0))::tid
LIMIT $1
