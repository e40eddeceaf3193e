-- Messages from before the erasure ($1) that wait to be published: they may tell of the person.
SELECT (SELECT count(*) FROM identity.outbox WHERE version < $1)
     + (SELECT count(*) FROM journey.stage_outbox WHERE id <= $2)
     + (SELECT count(*) FROM suppression.outbox AS o
        WHERE o.profile_id = ANY ($3::uuid[])
          AND o.created_at <= (SELECT e.made_at FROM identity.erasures AS e WHERE e.version = $1))
