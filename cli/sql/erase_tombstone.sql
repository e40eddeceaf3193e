-- From here on, touchpoints of these identifiers up to now are dropped wherever they come again.
INSERT INTO identity.erased (identifier_id, erased_at)
SELECT identifier_id, now() FROM unnest($1::uuid[]) AS m (identifier_id)
ON CONFLICT (identifier_id) DO UPDATE SET erased_at = excluded.erased_at
