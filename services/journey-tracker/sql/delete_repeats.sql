DELETE FROM repeats r
USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS u (anchor, occurred_at, event_id)
WHERE r.anchor = u.anchor AND r.occurred_at = u.occurred_at AND r.event_id = u.event_id
