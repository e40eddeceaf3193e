-- One event id with two bodies that come to have one anchor: the first stays. is_repeat: so does an earlier one of these.
DELETE FROM journey.facts AS f
USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::boolean[]) AS m (anchor, occurred_at, event_id, new_anchor, is_repeat)
WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id
  AND (m.is_repeat OR EXISTS (
      SELECT FROM journey.facts AS t
      WHERE t.anchor = m.new_anchor AND t.occurred_at = m.occurred_at AND t.event_id = m.event_id
  ))
