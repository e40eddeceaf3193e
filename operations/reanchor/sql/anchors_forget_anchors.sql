-- No fact is these identifiers' any more, and no review stands at them.
WITH keys AS (
    SELECT tutti_meta.short_key(id) AS anchor FROM unnest($1::uuid[]) AS u (id)
), in_suppression AS (
    DELETE FROM suppression.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
), position AS (
    UPDATE identity.policies AS p SET swept_to = NULL WHERE p.swept_to = ANY ($1::uuid[])
)
DELETE FROM journey.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
