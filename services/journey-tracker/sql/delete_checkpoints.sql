DELETE FROM journey.checkpoints c
USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS u (profile, occurred_at, event_id)
WHERE c.profile = u.profile AND c.occurred_at = u.occurred_at AND c.event_id = u.event_id
