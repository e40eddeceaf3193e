DELETE FROM opportunities AS o
USING unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::uuid[], $5::bigint[]) AS u (opportunity_id, step, by_at, by_event_id, by_anchor)
WHERE o.opportunity_id = u.opportunity_id AND o.step = u.step AND o.by_at = u.by_at AND o.by_event_id = u.by_event_id AND o.by_anchor = u.by_anchor
