-- Stored touchpoints of these events ($1; $2: only with a product, $3: or with an order; $4: others read them), or with a score of at most
-- $5: into the ledger, with the copies that others read under its other identifiers (8 bytes of each id are in `others`) and the places of
-- all of them. What is there already stays, and a touchpoint's own fact comes before a copy of it under the same anchor.
-- $6, $7: codes of types with the channels, as sent, that they are addresses of.
WITH wanted AS MATERIALIZED (
    SELECT f.anchor, f.occurred_at, f.event_id, CASE WHEN f.received_at < f.occurred_at THEN f.received_at END AS received_at,
           f.score, f.order_id, f.product_id, f.decision_id, f.case_id, f.lines, f.others, f.value_micros, s.source, s.type, s.event,
           s.channel, s.direction, s.is_bot, s.department, s.purpose, s.contact_class, s.campaign_id, s.product_category,
           coalesce(f.score <= $5::smallint, false) OR w.is_copied AS is_copied
    FROM journey.facts AS f
    JOIN journey.shapes AS s USING (shape)
    LEFT JOIN unnest($1::text[], $2::boolean[], $3::boolean[], $4::boolean[]) AS w (event, needs_product, may_return, is_copied) USING (event)
    WHERE f.anchor <> 0
      AND s.event NOT IN ('Contact Requested', 'Contact Sent', 'Campaign Sent', 'Contact Delivered', 'Contact Failed', 'Contact Cancelled')
      AND (f.score <= $5::smallint
           OR (w.event IS NOT NULL
               AND (NOT w.needs_product OR coalesce(f.product_id, s.product_category, f.lines, '') <> ''
                    OR (f.order_id <> '' AND (w.may_return OR f.value_micros < 0)))))
), copies AS MATERIALIZED (
    SELECT w.occurred_at, w.event_id, w.event, w.channel, w.case_id, w.order_id, w.received_at, w.score,
           tutti_meta.short_key(i.identifier_id) AS anchor, i.identifier_id, i.profile_id, i.version
    FROM wanted AS w
    CROSS JOIN LATERAL generate_series(0, length(w.others) / 8 - 1) AS n (at)
    CROSS JOIN LATERAL (SELECT encode(substring(w.others FROM n.at * 8 + 1 FOR 8), 'hex') AS key) AS k
    JOIN identity.identifiers AS i
        ON i.identifier_id BETWEEN (k.key || repeat('0', 16))::uuid AND (k.key || repeat('f', 16))::uuid
    WHERE w.is_copied
), places AS (
    INSERT INTO suppression.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT a.anchor, a.profile, a.version, a.anchor_id, a.profile_id
    FROM (SELECT DISTINCT anchor FROM wanted) AS w
    JOIN journey.anchors AS a USING (anchor)
    UNION ALL
    SELECT DISTINCT c.anchor, tutti_meta.short_key(c.profile_id), c.version, c.identifier_id, c.profile_id
    FROM copies AS c
    ON CONFLICT DO NOTHING
), told AS (
    SELECT w.anchor, w.occurred_at, w.event_id,
           CASE WHEN w.contact_class IS NULL THEN 0 ELSE 1 END
               + CASE WHEN w.is_bot OR w.direction = 'outbound' OR (w.direction IS NULL AND starts_with(w.event, 'Contact ')
                              AND w.type NOT IN ('identify', 'alias', 'group', 'merge')) THEN 8 ELSE 0 END
               + CASE WHEN w.value_micros < 0 THEN 32 ELSE 0 END AS flags,
           w.event, w.channel, w.department, w.contact_class, w.purpose, w.product_id, w.product_category, w.campaign_id, w.lines, w.source,
           w.case_id, w.order_id, w.received_at, w.score,
           CASE WHEN tutti_meta.uuid_or_null(w.decision_id) IS NOT NULL THEN w.decision_id END AS decision_id, w.others, a.keys AS addresses
    FROM wanted AS w
    CROSS JOIN LATERAL (SELECT int8send(w.anchor) || coalesce(w.others, ''::bytea) AS names) AS n
    CROSS JOIN LATERAL (
        SELECT string_agg(k.key, ''::bytea ORDER BY p.at) AS keys
        FROM generate_series(0, length(n.names) / 8 - 1) AS p (at)
        CROSS JOIN LATERAL (SELECT substring(n.names FROM p.at * 8 + 1 FOR 8) AS key) AS k
        JOIN identity.identifiers AS i
            ON i.identifier_id BETWEEN (encode(k.key, 'hex') || repeat('0', 16))::uuid AND (encode(k.key, 'hex') || repeat('f', 16))::uuid
        JOIN unnest($6::smallint[], $7::text[]) AS r (code, channel) ON r.code = i.type AND r.channel = w.channel
    ) AS a
    UNION ALL
    SELECT c.anchor, c.occurred_at, c.event_id, 4, c.event, c.channel, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           c.case_id, c.order_id, c.received_at, c.score, NULL, NULL, NULL
    FROM copies AS c
)
INSERT INTO suppression.facts (kind, anchor, occurred_at, event_id, flags, event, channel, department, class, purpose, product_id,
                               product_category, campaign_id, lines, source, case_id, order_id, received_at, score, decision_id, others,
                               addresses)
SELECT 6, t.*
FROM told AS t
ORDER BY t.flags & 4, t.anchor, t.occurred_at, t.event_id
ON CONFLICT DO NOTHING
