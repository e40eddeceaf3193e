-- No fact is these identifiers' any more.
WITH keys AS (
    SELECT tutti_meta.short_key(id) AS anchor FROM unnest($1::uuid[]) AS u (id)
), in_suppression AS (
    DELETE FROM suppression.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
)
DELETE FROM journey.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
