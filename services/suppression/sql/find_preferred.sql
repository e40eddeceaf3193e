SELECT f.preferences
FROM suppression.anchors AS a
JOIN suppression.facts AS f USING (anchor)
WHERE a.profile_id = $1 AND a.version & 1 = 0 AND f.flags & 4 = 0 AND f.preferences ~ E'(^|\n)channels(\x1f|\n)'
ORDER BY f.occurred_at DESC, f.event_id DESC
LIMIT 1
