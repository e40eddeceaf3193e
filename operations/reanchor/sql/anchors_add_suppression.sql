-- Anchors that may be new.
INSERT INTO suppression.anchors (anchor, profile, version, anchor_id, profile_id)
SELECT tutti_meta.short_key(anchor_id), tutti_meta.short_key(profile_id), version, anchor_id, profile_id
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS u (anchor_id, profile_id, version)
ORDER BY 1
ON CONFLICT DO NOTHING
