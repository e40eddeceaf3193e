-- What suppression knows of these identifiers: everything but requests, oldest first, an original before its copies (bit 4).
SELECT m.identifier_id, f.occurred_at, f.event_id, f.event, f.channel, f.consent, f.score, f.flags, f.received_at,
       f.source, f.case_id, f.order_id, f.preferences
FROM unnest($1::uuid[]) AS m (identifier_id)
JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(m.identifier_id)
WHERE f.kind <> 1
ORDER BY f.occurred_at, f.event_id, f.flags & 4, m.identifier_id
