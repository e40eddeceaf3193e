-- Facts under their new anchors.
UPDATE suppression.facts AS f
SET anchor = m.new_anchor, others = m.others, addresses = m.addresses
FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::bytea[], $6::bytea[])
     AS m (anchor, occurred_at, event_id, new_anchor, others, addresses)
WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id AND f.flags & 4 = 0
