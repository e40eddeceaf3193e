-- Messages about these identifiers' profile that no service will publish: earlier revocations.
WITH gone AS (
    DELETE FROM suppression.outbox AS o
    WHERE o.profile_id = ANY ($1::uuid[])
    RETURNING 1
)
SELECT 'suppression.outbox', (SELECT count(*) FROM gone)::text
