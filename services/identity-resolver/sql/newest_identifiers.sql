SELECT identifier_id, profile_id, first_seen_at, version, type, is_quarantined, has_refused
FROM identity.identifiers
WHERE ctid >= format('(%s,0)', greatest(pg_relation_size('identity.identifiers') / 8192 - $1 / 50, 0))::tid
LIMIT $1
