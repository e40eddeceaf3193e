DELETE FROM checkpoints c
USING unnest($1::bigint[], $2::timestamptz[]) AS u (profile, occurred_at)
WHERE c.profile = u.profile AND c.occurred_at = u.occurred_at
