-- Facts of these anchors ($2) name the erased identifiers ($1) no more; facts stored after the erasure ($3) never did.
WITH in_journey AS (
    UPDATE journey.facts AS f
    SET others = tutti_meta.without_keys(f.others, $1::bigint[])
    WHERE f.anchor = ANY ($2::bigint[]) AND f.others IS NOT NULL AND f.loaded_at <= (SELECT e.made_at FROM identity.erasures AS e WHERE e.version = $3)
      AND tutti_meta.without_keys(f.others, $1::bigint[]) IS DISTINCT FROM f.others
    RETURNING 1
), in_suppression AS (
    UPDATE suppression.facts AS f
    SET others = tutti_meta.without_keys(f.others, $1::bigint[]), addresses = tutti_meta.without_keys(f.addresses, $1::bigint[])
    WHERE f.anchor = ANY ($2::bigint[]) AND f.others IS NOT NULL AND f.loaded_at <= (SELECT e.made_at FROM identity.erasures AS e WHERE e.version = $3)
      AND tutti_meta.without_keys(f.others, $1::bigint[]) IS DISTINCT FROM f.others
    RETURNING 1
)
SELECT 'journey.facts.others', (SELECT count(*) FROM in_journey)::text
UNION ALL
SELECT 'suppression.facts.others', (SELECT count(*) FROM in_suppression)::text
