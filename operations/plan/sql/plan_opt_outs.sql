-- What the facts of these identifiers say of channels, in the order of the ledger of each profile. `number` is the
-- identifier's place in the list. Which opt-outs a side would lose the rules say (stakes.c).
SELECT (m.number - 1)::integer, f.occurred_at, f.event_id, f.event, f.channel, f.consent, f.score, f.flags, f.received_at,
       f.source, f.case_id, f.order_id
FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS m (identifier_id, profile, number)
JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(m.identifier_id)
WHERE f.consent <> '' OR f.event = 'Unsubscribed'
ORDER BY m.profile, f.occurred_at, f.event_id, f.flags & 4, m.number
