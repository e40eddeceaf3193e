SELECT u.n, c.occurred_at, c.payload
FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS u (profile, before_at, n)
CROSS JOIN LATERAL (
    SELECT occurred_at, payload
    FROM checkpoints
    WHERE profile = u.profile AND occurred_at < u.before_at
    ORDER BY occurred_at DESC
    LIMIT 1) c
