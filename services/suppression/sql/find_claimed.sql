SELECT d.request_id, a.profile_id
FROM suppression.decisions AS d
JOIN suppression.anchors AS a ON a.anchor = d.anchor
WHERE d.request_id = ANY ($1::uuid[]) AND a.version & 1 = 0
ORDER BY d.request_id
