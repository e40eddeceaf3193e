SELECT f.anchor, f.occurred_at, f.event_id, f.kind, f.flags, f.event, f.channel, f.consent, f.score, f.received_at
FROM suppression.facts AS f
WHERE f.anchor = ANY ($1::bigint[]) AND (f.kind = 6 OR f.consent <> '')
