-- Facts of others that name these identifiers in addition to their anchor.
WITH linked AS (
    SELECT tutti_meta.short_key(l.b) AS anchor FROM identity.links AS l WHERE l.a = ANY ($1::uuid[]) AND NOT l.is_indirect
    UNION
    SELECT tutti_meta.short_key(l.a) FROM identity.links AS l WHERE l.b = ANY ($1::uuid[]) AND NOT l.is_indirect
    EXCEPT
    SELECT unnest($2::bigint[])
)
SELECT 'journey.facts.others', (SELECT count(*) FROM journey.facts AS f JOIN linked USING (anchor)
        WHERE f.others IS NOT NULL AND tutti_meta.without_keys(f.others, $2::bigint[]) IS DISTINCT FROM f.others)::text
UNION ALL
SELECT 'suppression.facts.others', (SELECT count(*) FROM suppression.facts AS f JOIN linked USING (anchor)
        WHERE f.others IS NOT NULL AND tutti_meta.without_keys(f.others, $2::bigint[]) IS DISTINCT FROM f.others)::text
