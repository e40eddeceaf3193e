-- Touchpoints whose identifiers are all blocked now are like those that never had one. A touchpoint that a cut repeated goes.
WITH gone AS (
    DELETE FROM journey.facts AS f
    USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS m (anchor, occurred_at, event_id)
    WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id
    RETURNING f.*
)
INSERT INTO journey.facts
    (anchor, occurred_at, event_id, shape, received_at, value_micros, margin_micros, cost_micros, score, zone, message_id, order_id, content_id,
     product_id, location_id, agent_id, decision_id, case_id, opportunity_id, lines, line_amounts)
SELECT 0, g.occurred_at, g.event_id, g.shape, g.received_at, g.value_micros, g.margin_micros, g.cost_micros, g.score, g.zone, g.message_id, g.order_id,
       g.content_id, g.product_id, g.location_id, g.agent_id, g.decision_id, g.case_id, g.opportunity_id, g.lines, g.line_amounts
FROM gone AS g
JOIN journey.shapes AS s USING (shape)
WHERE s.source <> 'urn:tutti:identity'
ON CONFLICT DO NOTHING
