-- What the schema journey has of these identifiers, table by table.
WITH m AS (SELECT identifier_id, tutti_meta.short_key(identifier_id) AS anchor FROM unnest($1::uuid[]) AS u (identifier_id))
SELECT 'journey.checkpoints', (SELECT count(*) FROM journey.checkpoints AS t WHERE t.profile IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.conversions', (SELECT count(*) FROM journey.conversions AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.repeats', (SELECT count(*) FROM journey.repeats AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.traits', (SELECT count(*) FROM journey.traits AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.sale_copies', (SELECT count(*) FROM journey.sale_copies AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.order_changes', (SELECT count(*) FROM journey.order_changes AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.stage_changes', (SELECT count(*) FROM journey.stage_changes AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.memberships', (SELECT count(*) FROM journey.memberships AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.responses', (SELECT count(*) FROM journey.responses AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.opportunities', (SELECT count(*) FROM journey.opportunities AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.states', (SELECT count(*) FROM journey.states AS t WHERE t.profile IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.anchors', (SELECT count(*) FROM journey.anchors AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.facts', (SELECT count(*) FROM journey.facts AS t WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.sales', (SELECT count(*) FROM journey.facts AS t JOIN journey.sales AS w USING (anchor, occurred_at, event_id)
    WHERE t.anchor IN (SELECT anchor FROM m))::text
UNION ALL
SELECT 'journey.facts.order_id', (SELECT count(*) FROM journey.facts AS t WHERE t.anchor = 0 AND t.order_id IN (
    SELECT f.order_id FROM journey.facts AS f WHERE f.anchor IN (SELECT anchor FROM m)))::text
