-- Conversions of these profiles and their revenue, net of returns, by currency.
SELECT coalesce(m.currency, ''), sum(m.conversions)::bigint,
       greatest(-9223372036854775807, least(9223372036854775807, sum(m.micros)))::bigint
FROM unnest($1::uuid[]) AS p (profile_id)
JOIN journey.anchors AS a ON a.profile = tutti_meta.short_key(p.profile_id)
CROSS JOIN LATERAL (
    SELECT s.currency, 1 AS conversions, coalesce(c.value_micros, 0)::numeric AS micros
    FROM active.conversions AS c
    JOIN journey.shapes AS s USING (shape)
    WHERE c.anchor = a.anchor AND c.further_id IS NULL
    UNION ALL
    SELECT s.currency, 0, o.value_micros::numeric + o.over_micros
    FROM active.order_changes AS o
    JOIN journey.shapes AS s ON s.shape = o.money_shape
    WHERE o.anchor = a.anchor AND o.further_id IS NULL) AS m
GROUP BY m.currency
