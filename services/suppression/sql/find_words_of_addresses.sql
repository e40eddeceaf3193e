SELECT a.address, w.occurred_at, w.event_id, w.kind, w.flags, w.event, w.channel, w.consent, w.score, w.received_at
FROM unnest($1::bigint[]) AS a (address)
CROSS JOIN LATERAL (
    WITH RECURSIVE newest AS (
        (SELECT suppression.saying(f.event, f.channel, f.consent) AS saying, f.occurred_at, f.event_id, f.kind, f.flags, f.event, f.channel, f.consent, f.score, f.received_at
         FROM suppression.facts AS f
         WHERE f.anchor = a.address AND (f.kind = 6 OR f.consent <> '')
         ORDER BY suppression.saying(f.event, f.channel, f.consent) DESC, f.occurred_at DESC
         LIMIT 1)
        UNION ALL
        SELECT n.*
        FROM newest AS p
        CROSS JOIN LATERAL (
            SELECT suppression.saying(f.event, f.channel, f.consent), f.occurred_at, f.event_id, f.kind, f.flags, f.event, f.channel, f.consent, f.score, f.received_at
            FROM suppression.facts AS f
            WHERE f.anchor = a.address AND (f.kind = 6 OR f.consent <> '') AND suppression.saying(f.event, f.channel, f.consent) < p.saying
            ORDER BY suppression.saying(f.event, f.channel, f.consent) DESC, f.occurred_at DESC
            LIMIT 1
        ) AS n
    )
    SELECT * FROM newest
) AS w
