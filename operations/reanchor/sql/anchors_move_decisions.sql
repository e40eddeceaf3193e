-- A decision is about the anchor of its request, and about a profile that this one was in: so an erasure finds it.
UPDATE suppression.decisions AS d
SET anchor = m.new_anchor, profile_id = a.profile_id
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS m (anchor, event_id, new_anchor)
JOIN suppression.anchors AS a ON a.anchor = m.new_anchor
WHERE d.request_id = m.event_id AND d.anchor = m.anchor
