-- Where the new anchor has a copy (flag 4) already, the original and that copy change places.
UPDATE suppression.facts AS f
SET kind = o.kind, flags = o.flags, event = o.event, channel = o.channel, department = o.department, class = o.class,
    purpose = o.purpose, tags = o.tags, priority = o.priority, product_id = o.product_id, product_category = o.product_category,
    campaign_id = o.campaign_id, consent = o.consent, score = o.score, planned_at = o.planned_at, expires_at = o.expires_at,
    decision_id = o.decision_id, loaded_at = o.loaded_at, others = CASE WHEN o.flags & 4 = 0 THEN m.others END
FROM (
    SELECT anchor, occurred_at, event_id, new_anchor AS partner, NULL::bytea AS others
    FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[]) AS u (anchor, occurred_at, event_id, new_anchor)
    UNION ALL
    SELECT new_anchor, occurred_at, event_id, anchor, others
    FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::bytea[])
        AS u (anchor, occurred_at, event_id, new_anchor, others)
) AS m
JOIN suppression.facts AS o ON o.anchor = m.partner AND o.occurred_at = m.occurred_at AND o.event_id = m.event_id
WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id AND (f.flags & 4) <> (o.flags & 4)
