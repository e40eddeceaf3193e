-- Customers with a grant that is neither used nor over.
SELECT DISTINCT a.profile_id
FROM suppression.decisions AS d
JOIN suppression.anchors AS a USING (anchor)
WHERE d.verdict = 1 AND d.outcome = 0 AND d.claimed_at IS NULL AND d.expires_at > now() AND a.version & 1 = 0
ORDER BY 1
