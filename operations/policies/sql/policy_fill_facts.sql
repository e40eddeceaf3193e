-- Stored touchpoints of these events ($1; $2: only with a product or an order), or with a score of at most $3: into the ledger, with the
-- places of their anchors. What is there already stays. $4, $5: codes of types with the channels, as sent, that they are addresses of.
WITH wanted AS (
    SELECT f.anchor, f.occurred_at, f.event_id, f.received_at, f.score, f.order_id, f.product_id, f.decision_id, f.case_id, f.lines, f.others, f.value_micros,
           s.source, s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.contact_class, s.campaign_id, s.product_category
    FROM journey.facts AS f
    JOIN journey.shapes AS s USING (shape)
    LEFT JOIN unnest($1::text[], $2::boolean[]) AS w (event, needs_product) USING (event)
    WHERE f.anchor <> 0
      AND s.event NOT IN ('Contact Requested', 'Contact Sent', 'Campaign Sent', 'Contact Delivered', 'Contact Failed', 'Contact Cancelled')
      AND (f.score <= $3::smallint
           OR (w.event IS NOT NULL
               AND (NOT w.needs_product OR coalesce(f.product_id, s.product_category, f.order_id, f.lines, '') <> '')))
), places AS (
    INSERT INTO suppression.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT DISTINCT a.anchor, a.profile, a.version, a.anchor_id, a.profile_id
    FROM wanted AS w
    JOIN journey.anchors AS a USING (anchor)
    ON CONFLICT DO NOTHING
)
INSERT INTO suppression.facts (anchor, occurred_at, event_id, kind, flags, event, channel, department, class, purpose, product_id,
                               product_category, campaign_id, lines, source, case_id, order_id, received_at, score, decision_id, others,
                               addresses)
SELECT w.anchor, w.occurred_at, w.event_id, 6,
       CASE WHEN w.contact_class IS NULL THEN 0 ELSE 1 END
           + CASE WHEN w.direction = 'outbound' OR (w.direction IS NULL AND starts_with(w.event, 'Contact ')
                          AND w.type NOT IN ('identify', 'alias', 'group', 'merge')) THEN 8 ELSE 0 END
           + CASE WHEN w.value_micros < 0 THEN 32 ELSE 0 END,
       w.event, w.channel, w.department, w.contact_class, w.purpose, w.product_id, w.product_category, w.campaign_id, w.lines, w.source,
       w.case_id, w.order_id, CASE WHEN w.received_at < w.occurred_at THEN w.received_at END, w.score,
       CASE WHEN tutti_meta.uuid_or_null(w.decision_id) IS NOT NULL THEN w.decision_id END, w.others, a.keys
FROM wanted AS w
CROSS JOIN LATERAL (SELECT int8send(w.anchor) || coalesce(w.others, ''::bytea) AS names) AS n
CROSS JOIN LATERAL (
    SELECT string_agg(k.key, ''::bytea ORDER BY p.at) AS keys
    FROM generate_series(0, length(n.names) / 8 - 1) AS p (at)
    CROSS JOIN LATERAL (SELECT substring(n.names FROM p.at * 8 + 1 FOR 8) AS key) AS k
    JOIN identity.identifiers AS i
        ON i.identifier_id BETWEEN (encode(k.key, 'hex') || repeat('0', 16))::uuid AND (encode(k.key, 'hex') || repeat('f', 16))::uuid
    JOIN unnest($4::smallint[], $5::text[]) AS r (code, channel) ON r.code = i.type AND r.channel = w.channel
) AS a
ON CONFLICT DO NOTHING
