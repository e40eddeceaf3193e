SELECT u.n, c.occurred_at
FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS u (profile, after_at, n)
CROSS JOIN LATERAL (
    SELECT occurred_at
    FROM checkpoints
    WHERE profile = u.profile AND occurred_at > u.after_at
    ORDER BY occurred_at
    OFFSET 1 LIMIT 1) c
