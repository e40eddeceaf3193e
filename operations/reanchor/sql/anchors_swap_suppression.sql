-- Where the new anchor has a copy (flag 4) already, the original and that copy change places. What becomes a copy keeps its own words.
WITH m AS (
    SELECT u.*
    FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::bytea[], $6::bytea[])
         AS u (anchor, occurred_at, event_id, new_anchor, others, addresses)
    JOIN suppression.facts AS t ON t.anchor = u.new_anchor AND t.occurred_at = u.occurred_at AND t.event_id = u.event_id
    WHERE t.flags & 4 <> 0
), copied AS (
    UPDATE suppression.facts AS f
    SET kind = 6, flags = 4, event = CASE WHEN f.kind = 6 THEN f.event ELSE '' END, score = CASE WHEN f.kind = 6 THEN f.score END,
        department = NULL, class = NULL, purpose = NULL, tags = NULL, priority = NULL, product_id = NULL, product_category = NULL,
        campaign_id = NULL, lines = NULL, source = NULL, planned_at = NULL, expires_at = NULL, latest_at = NULL, sequence_id = NULL,
        decision_id = NULL, others = NULL, addresses = NULL
    FROM m
    WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id AND f.flags & 4 = 0
)
UPDATE suppression.facts AS f
SET kind = o.kind, flags = o.flags, event = o.event, channel = o.channel, department = o.department, class = o.class,
    purpose = o.purpose, tags = o.tags, priority = o.priority, product_id = o.product_id, product_category = o.product_category,
    campaign_id = o.campaign_id, lines = o.lines, source = o.source, case_id = o.case_id, order_id = o.order_id,
    received_at = o.received_at, consent = o.consent, preferences = o.preferences, score = o.score, planned_at = o.planned_at,
    expires_at = o.expires_at, latest_at = o.latest_at, sequence_id = o.sequence_id, decision_id = o.decision_id, loaded_at = o.loaded_at, others = m.others, addresses = m.addresses
FROM m
JOIN suppression.facts AS o ON o.anchor = m.anchor AND o.occurred_at = m.occurred_at AND o.event_id = m.event_id
WHERE f.anchor = m.new_anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id AND o.flags & 4 = 0
