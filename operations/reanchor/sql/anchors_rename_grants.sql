-- Open grants rely on what these addresses become; of one that is blocked now there is no word.
WITH gone AS (
    DELETE FROM suppression.address_grants AS g
    USING tutti_meta.renamed AS n
    WHERE n.old_id = ANY ($1::uuid[]) AND g.address = tutti_meta.short_key(n.old_id)
    RETURNING n.new_id, g.request_id, g.expires_at, g.loaded_at
)
INSERT INTO suppression.address_grants (address, request_id, expires_at, loaded_at)
SELECT tutti_meta.short_key(new_id), request_id, expires_at, loaded_at
FROM gone
WHERE new_id IS NOT NULL
ON CONFLICT DO NOTHING
