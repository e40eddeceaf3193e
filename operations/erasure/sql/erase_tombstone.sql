-- From here on, what these identifiers did or what was received of them until $2 microseconds from now is dropped wherever it comes
-- again. The version is above all that was given: it tells what was known before from what is learnt later.
WITH e AS (
    INSERT INTO identity.erasures (version, made_at, linked)
    SELECT 4 * nextval('identity.versions'), clock_timestamp(), ARRAY(
        SELECT CASE WHEN l.a = ANY ($1::uuid[]) THEN l.b ELSE l.a END
        FROM identity.links AS l
        WHERE l.a = ANY ($1::uuid[]) OR (l.b = ANY ($1::uuid[]) AND l.refused_by <> 0)
        EXCEPT
        SELECT unnest($1::uuid[])
    )
    RETURNING version, made_at
), t AS (
    INSERT INTO identity.erased (identifier_id, erased_at, key_number, version)
    SELECT m.identifier_id, e.made_at + $2::bigint * interval '1 microsecond', coalesce(i.key_number, 0), e.version
    FROM e
    CROSS JOIN unnest($1::uuid[]) AS m (identifier_id)
    LEFT JOIN identity.identifiers AS i ON i.identifier_id = m.identifier_id
    ON CONFLICT (identifier_id) DO UPDATE SET erased_at = excluded.erased_at, version = excluded.version
)
SELECT e.version FROM e
