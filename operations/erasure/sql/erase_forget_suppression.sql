-- Messages about these identifiers' profile that nobody will publish: revocations of before.
WITH gone AS (
    DELETE FROM suppression.outbox AS o
    WHERE o.profile_id = ANY ($1::uuid[])
    RETURNING 1
)
SELECT 'suppression.outbox', (SELECT count(*) FROM gone)::text
