-- What the schema suppression has of these identifiers, table by table.
WITH m AS (SELECT identifier_id, tutti_meta.short_key(identifier_id) AS anchor FROM unnest($1::uuid[]) AS u (identifier_id)),
     linked AS (
        SELECT tutti_meta.short_key(l.b) AS anchor FROM identity.links AS l WHERE l.a = ANY ($1::uuid[])
        UNION
        SELECT tutti_meta.short_key(l.a) FROM identity.links AS l WHERE l.b = ANY ($1::uuid[]) AND l.refused_by <> 0)
SELECT 'suppression.outbox', (SELECT count(*) FROM suppression.outbox AS t
        WHERE t.kind = 0 AND t.request_id IN (SELECT d.request_id FROM suppression.decisions AS d
           WHERE d.anchor IN (SELECT anchor FROM m)))::text
UNION ALL
SELECT 'suppression.address_grants', (SELECT count(*) FROM suppression.address_grants AS t
        WHERE t.address IN (SELECT anchor FROM m)
           OR t.request_id IN (SELECT d.request_id FROM suppression.decisions AS d WHERE d.anchor IN (SELECT anchor FROM m)))::text
UNION ALL
SELECT 'suppression.known_addresses', (SELECT count(*) FROM suppression.known_addresses AS t
        WHERE t.anchor IN (SELECT anchor FROM m)
           OR (t.anchor IN (SELECT anchor FROM linked) AND t.address_id IN (SELECT identifier_id FROM m)))::text
UNION ALL
SELECT 'suppression.decisions', (SELECT count(*) FROM suppression.decisions AS t
        WHERE t.anchor IN (SELECT anchor FROM m) OR t.profile_id IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'suppression.arms', (SELECT count(*) FROM suppression.arms AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'suppression.states', (SELECT count(*) FROM suppression.states AS t WHERE t.profile IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'suppression.anchors', (SELECT count(*) FROM suppression.anchors AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'suppression.places', (SELECT count(*) FROM suppression.places AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'suppression.kept_addresses', (SELECT count(*) FROM suppression.kept_addresses AS t WHERE t.address_id IN (SELECT identifier_id FROM m))::text
UNION ALL
SELECT 'suppression.facts', (SELECT count(*) FROM suppression.facts AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
