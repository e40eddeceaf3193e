-- The copies of the same touchpoints under their other identifiers: 8 bytes of each id are in `others`.
WITH wanted AS (
    SELECT f.anchor, f.occurred_at, f.event_id, f.received_at, f.score, f.order_id, f.product_id, f.decision_id, f.case_id, f.lines, f.others,
           s.source, s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.contact_class, s.campaign_id, s.product_category
    FROM journey.facts AS f
    JOIN journey.shapes AS s USING (shape)
    LEFT JOIN unnest($1::text[], $2::boolean[]) AS w (event, needs_product) USING (event)
    WHERE f.anchor <> 0
      AND s.event NOT IN ('Contact Requested', 'Contact Sent', 'Campaign Sent', 'Contact Delivered', 'Contact Failed', 'Contact Cancelled')
      AND (f.score <= $3::smallint
           OR (w.event IS NOT NULL
               AND (NOT w.needs_product OR coalesce(f.product_id, s.product_category, f.order_id, f.lines, '') <> '')))
), copies AS (
    SELECT w.*, i.identifier_id, i.profile_id, i.version
    FROM wanted AS w
    CROSS JOIN LATERAL generate_series(0, length(w.others) / 8 - 1) AS n (at)
    CROSS JOIN LATERAL (SELECT encode(substring(w.others FROM n.at * 8 + 1 FOR 8), 'hex') AS key) AS k
    JOIN identity.identifiers AS i
        ON i.identifier_id BETWEEN (k.key || repeat('0', 16))::uuid AND (k.key || repeat('f', 16))::uuid
), places AS (
    INSERT INTO suppression.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT DISTINCT tutti_meta.short_key(c.identifier_id), tutti_meta.short_key(c.profile_id), c.version, c.identifier_id, c.profile_id
    FROM copies AS c
    ON CONFLICT DO NOTHING
)
INSERT INTO suppression.facts (anchor, occurred_at, event_id, kind, flags, event, channel, case_id, order_id, received_at, score)
SELECT tutti_meta.short_key(c.identifier_id), c.occurred_at, c.event_id, 6, 4, c.event, c.channel, c.case_id, c.order_id,
       CASE WHEN c.received_at < c.occurred_at THEN c.received_at END, c.score
FROM copies AS c
ON CONFLICT DO NOTHING
