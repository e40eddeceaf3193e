SELECT anchor_id, profile_id, version
FROM journey.anchors
WHERE anchor = ANY ($1::bigint[])
