-- Grants of these anchors ($1) that a channel may still act on, and whom they belong to today. A request that was told with two
-- times has two facts. $2: also those that are revoked, where the revocation waits for a service that will not tell it.
SELECT DISTINCT ON (d.request_id) d.request_id, a.profile_id, d.channel, d.department, d.requested_at, d.expires_at
FROM suppression.facts AS f
JOIN suppression.decisions AS d ON d.request_id = f.event_id AND d.anchor = f.anchor
JOIN suppression.anchors AS a ON a.anchor = d.anchor
WHERE f.anchor = ANY ($1::bigint[]) AND d.verdict = 1 AND d.expires_at > clock_timestamp() AND d.claimed_at IS NULL
  AND (d.outcome = 0 OR ($2 AND EXISTS (SELECT FROM suppression.outbox AS o WHERE o.request_id = d.request_id AND o.kind = 1)))
ORDER BY d.request_id
