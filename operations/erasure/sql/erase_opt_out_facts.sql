-- What was said of consent under these anchors ($1).
SELECT f.occurred_at, f.event_id, f.event, f.channel, f.consent, f.score, f.flags, f.received_at, f.source, f.case_id, f.order_id,
       f.anchor, f.others
FROM suppression.facts AS f
WHERE f.anchor = ANY ($1::bigint[]) AND (f.consent <> '' OR f.event = 'Unsubscribed')
