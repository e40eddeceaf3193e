-- Touchpoints whose identifiers are all blocked now are like those that never had one. A touchpoint that a cut repeated goes.
WITH gone AS (
    DELETE FROM journey.facts AS f
    USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS m (anchor, occurred_at, event_id)
    WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id
    RETURNING f.*
)
INSERT INTO identity.unidentified_touchpoints
    (event_id, occurred_at, received_at, source, message_id, channel, event_name, direction, department, purpose)
SELECT g.event_id, g.occurred_at, g.received_at, s.source, g.message_id, s.channel, s.event, s.direction, s.department, s.purpose
FROM gone AS g
JOIN journey.shapes AS s USING (shape)
WHERE s.source <> 'urn:tutti:identity'
ON CONFLICT DO NOTHING
