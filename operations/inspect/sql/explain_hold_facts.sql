-- The ledger of a customer in order, and the moment that the session asks about.
SELECT tutti.as_of(), f.occurred_at, f.event_id, f.event, f.channel, f.consent, f.score, f.flags, f.received_at,
       f.source, f.case_id, f.order_id
FROM suppression.anchors AS a
JOIN suppression.facts AS f USING (anchor)
WHERE a.profile = tutti_meta.short_key($1) AND a.profile_id = $1
ORDER BY f.occurred_at, f.event_id, f.flags & 4, f.anchor
