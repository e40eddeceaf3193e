-- A decision is about the anchor of its request.
UPDATE suppression.decisions AS d
SET anchor = m.new_anchor
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS m (anchor, event_id, new_anchor)
WHERE d.request_id = m.event_id AND d.anchor = m.anchor
