-- What changes its profile: touchpoints, conversions and their revenue, net of returns, by currency (one line without any if there are none).
WITH moved AS (SELECT tutti_meta.short_key(m.identifier_id) AS anchor
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (identifier_id, before, after)
               WHERE m.before <> m.after),
     sold AS (SELECT m.currency, sum(m.conversions) AS conversions, sum(m.micros) AS micros
              FROM (SELECT s.currency, 1 AS conversions, c.value_micros::numeric AS micros
                    FROM moved
                    JOIN active.conversions AS c USING (anchor)
                    JOIN journey.shapes AS s USING (shape)
                    WHERE c.further_id IS NULL
                    UNION ALL
                    SELECT s.currency, 0, o.value_micros::numeric + o.over_micros
                    FROM moved
                    JOIN active.order_changes AS o USING (anchor)
                    JOIN journey.shapes AS s ON s.shape = o.money_shape
                    WHERE o.further_id IS NULL) AS m
              GROUP BY m.currency)
SELECT (SELECT count(*) FROM moved)::text,
       (SELECT count(*) FROM moved JOIN journey.facts USING (anchor))::text,
       coalesce(sold.conversions, 0)::text,
       to_char(coalesce(sold.micros, 0) * 0.000001, 'FM999,999,999,999,990.00'),
       coalesce(sold.currency, '')
FROM (SELECT) AS one
LEFT JOIN sold ON true
ORDER BY sold.currency
