DELETE FROM identity.outbox
WHERE version = ANY ($1::bigint[])
