SELECT count(*)
FROM (
    SELECT stripe
    FROM identity.lock_stripes
    WHERE stripe = ANY ($1::integer[])
    ORDER BY stripe
    FOR NO KEY UPDATE SKIP LOCKED
) AS locked
