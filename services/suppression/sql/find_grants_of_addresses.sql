SELECT DISTINCT a.profile_id
FROM suppression.address_grants AS g
JOIN suppression.decisions AS d USING (request_id)
JOIN suppression.anchors AS a ON a.anchor = d.anchor
WHERE g.address = ANY ($1::bigint[]) AND d.verdict = 1 AND d.outcome = 0 AND d.claimed_at IS NULL AND a.version & 1 = 0
