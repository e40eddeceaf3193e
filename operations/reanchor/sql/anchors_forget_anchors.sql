-- No fact is these identifiers' any more, and no review stands at them. What becomes of one of a unique type stays in the map, with
-- a state of its profile: such an identifier says that its customer is identified, whether or not it is the anchor of a fact.
WITH keys AS (
    SELECT tutti_meta.short_key(id) AS anchor, id FROM unnest($1::uuid[]) AS u (id)
), in_suppression AS (
    DELETE FROM suppression.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
), places AS (
    DELETE FROM suppression.places AS p USING keys AS k WHERE p.anchor = k.anchor
), position AS (
    UPDATE identity.policies AS p SET swept_to = NULL WHERE p.swept_to = ANY ($1::uuid[])
), people AS (
    SELECT DISTINCT tutti_meta.short_key(i.identifier_id) AS anchor, tutti_meta.short_key(i.profile_id) AS profile, i.version,
           i.identifier_id, i.profile_id
    FROM keys AS k
    JOIN journey.anchors AS a USING (anchor)
    JOIN tutti_meta.renamed AS n ON n.old_id = k.id
    JOIN identity.identifiers AS i ON i.identifier_id = n.new_id
    WHERE a.version & 2 <> 0
), states AS (
    INSERT INTO journey.states (profile, ver, members, generation, payload)
    SELECT DISTINCT profile, 0, 0, 0, '\x00'::bytea FROM people
    ON CONFLICT DO NOTHING
), added AS (
    INSERT INTO journey.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT anchor, profile, version, identifier_id, profile_id FROM people
    ON CONFLICT DO NOTHING
)
DELETE FROM journey.anchors AS a USING keys AS k WHERE a.anchor = k.anchor
