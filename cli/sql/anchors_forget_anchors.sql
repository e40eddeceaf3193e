-- No fact is these identifiers' any more: what stands under them are originals that became copies when they changed places.
WITH keys AS (
    SELECT tutti_meta.short_key(id) AS anchor FROM unnest($1::uuid[]) AS u (id)
), copies AS (
    DELETE FROM suppression.facts AS f USING keys AS k WHERE f.anchor = k.anchor
), in_suppression AS (
    DELETE FROM suppression.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
)
DELETE FROM journey.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
