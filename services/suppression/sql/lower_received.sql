UPDATE suppression.facts AS f
SET received_at = u.received_at
FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::timestamptz[])
    WITH ORDINALITY AS u (anchor, occurred_at, event_id, received_at, number)
WHERE f.anchor = u.anchor AND f.occurred_at = u.occurred_at AND f.event_id = u.event_id
  AND u.received_at < coalesce(f.received_at, f.occurred_at)
RETURNING u.number
