-- One event id with two bodies that come to have one anchor: the first stays. Of the other only the copies for the identifiers that it
-- names in addition to its anchor stay (contact_copy), so no one loses an opt-out. is_repeat: an earlier one of these has them already.
WITH repeats AS (
    SELECT f.anchor, f.occurred_at, f.event_id, f.kind = 6 OR coalesce(f.consent, '') ~ '(^| )-'
               OR coalesce(f.preferences, '') ~ E'(^|\n)pause\x1f.' AS has_copy
    FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::boolean[]) AS m (anchor, occurred_at, event_id, new_anchor, is_repeat)
    JOIN suppression.facts AS f ON f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id
    WHERE m.is_repeat OR EXISTS (
        SELECT FROM suppression.facts AS t
        WHERE t.anchor = m.new_anchor AND t.occurred_at = m.occurred_at AND t.event_id = m.event_id
          AND (t.flags & 4 = 0 OR (t.channel, t.consent, t.preferences, t.event)
               IS DISTINCT FROM (f.channel, f.consent, f.preferences, CASE WHEN f.kind = 6 THEN f.event ELSE '' END))
    )
), gone AS (
    DELETE FROM suppression.facts AS f
    USING repeats AS r
    WHERE NOT r.has_copy AND f.anchor = r.anchor AND f.occurred_at = r.occurred_at AND f.event_id = r.event_id
)
UPDATE suppression.facts AS f
SET kind = 6, flags = 4, event = CASE WHEN f.kind = 6 THEN f.event ELSE '' END, score = CASE WHEN f.kind = 6 THEN f.score END,
    department = NULL, class = NULL, purpose = NULL, tags = NULL, priority = NULL, product_id = NULL, product_category = NULL,
    campaign_id = NULL, lines = NULL, source = NULL, planned_at = NULL, expires_at = NULL, latest_at = NULL, sequence_id = NULL,
    decision_id = NULL, others = NULL, addresses = NULL
FROM repeats AS r
WHERE r.has_copy AND f.anchor = r.anchor AND f.occurred_at = r.occurred_at AND f.event_id = r.event_id
