-- Messages from before the erasure ($1) that wait to be published, by who does that: they may tell of the person. How many of the last
-- are revocations.
SELECT (SELECT count(*) FROM identity.outbox WHERE version < $1),
       (SELECT count(*) FROM journey.message_outbox WHERE id <= $2),
       s.messages, s.revocations
FROM (
    SELECT count(*) AS messages, count(*) FILTER (WHERE o.kind = 1) AS revocations
    FROM suppression.outbox AS o
    WHERE o.profile_id = ANY ($3::uuid[])
      AND o.created_at <= (SELECT e.made_at FROM identity.erasures AS e WHERE e.version = $1)
) AS s
