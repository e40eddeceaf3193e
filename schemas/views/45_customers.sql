-- What customers bring and cost, and where they are met. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.dim_profile_values AS
SELECT a.profile_id, m.currency, sum(m.conversions)::bigint AS conversions,
       (coalesce(sum(m.revenue_micros), 0) * 0.000001)::numeric(38, 6) AS revenue,
       (sum(m.margin_micros) * 0.000001)::numeric(38, 6) AS margin,
       (sum(m.cost_micros) * 0.000001)::numeric(38, 6) AS cost_to_serve
FROM (
    SELECT c.anchor, s.currency, 1 AS conversions, c.value_micros::numeric AS revenue_micros, c.margin_micros, NULL::bigint AS cost_micros
    FROM active.conversions AS c
    JOIN journey.shapes AS s USING (shape)
    WHERE c.further_id IS NULL
    UNION ALL
    -- Returns, and further tellings of an order.
    SELECT o.anchor, s.currency, 0, o.value_micros::numeric + o.over_micros, o.margin_micros, NULL
    FROM active.order_changes AS o
    JOIN journey.shapes AS s ON s.shape = o.money_shape
    WHERE o.further_id IS NULL AND (o.value_micros <> 0 OR coalesce(o.margin_micros, 0) <> 0 OR o.over_micros <> 0 OR o.is_full)
    UNION ALL
    SELECT f.anchor, s.currency, 0, NULL, NULL, f.cost_micros
    FROM journey.facts AS f
    JOIN active.shapes AS s USING (shape)
    WHERE f.cost_micros IS NOT NULL AND s.is_touch
        AND NOT EXISTS (SELECT FROM active.repeats AS r WHERE (r.anchor, r.occurred_at, r.event_id) = (f.anchor, f.occurred_at, f.event_id))
) AS m
JOIN journey.anchors AS a USING (anchor)
WHERE a.version % 2 = 0
GROUP BY a.profile_id, m.currency;
COMMENT ON VIEW tutti.dim_profile_values IS 'What each customer brought and cost, by currency (convergent).';
COMMENT ON COLUMN tutti.dim_profile_values.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.dim_profile_values.currency IS 'Currency; null: amounts without one (convergent).';
COMMENT ON COLUMN tutti.dim_profile_values.conversions IS 'Number of conversions; further tellings of an order do not count (convergent).';
COMMENT ON COLUMN tutti.dim_profile_values.revenue IS 'Sum of conversions and returns (convergent).';
COMMENT ON COLUMN tutti.dim_profile_values.margin IS 'Sum of their margin; null if none says it (convergent).';
COMMENT ON COLUMN tutti.dim_profile_values.cost_to_serve IS 'Sum of the costs of touches; null if none says it (convergent).';
GRANT SELECT ON tutti.dim_profile_values TO tutti_reader;

CREATE VIEW tutti.dim_profile_channels AS
SELECT a.profile_id, s.channel, s.device_type,
       count(*) FILTER (WHERE s.shown_direction = 'inbound') AS inbound_touches,
       count(*) FILTER (WHERE s.shown_direction = 'outbound') AS outbound_touches,
       min(f.occurred_at) AS first_at, max(f.occurred_at) AS last_at
FROM journey.facts AS f
JOIN journey.anchors AS a USING (anchor)
JOIN active.shapes AS s USING (shape)
WHERE a.version % 2 = 0 AND s.is_touch
    AND NOT EXISTS (SELECT FROM active.repeats AS r WHERE (r.anchor, r.occurred_at, r.event_id) = (f.anchor, f.occurred_at, f.event_id))
GROUP BY a.profile_id, s.channel, s.device_type;
COMMENT ON VIEW tutti.dim_profile_channels IS 'Channels and devices of each customer, with the number of touches (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.channel IS 'Channel as sent (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.device_type IS 'Type of the device; null: none was said (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.inbound_touches IS 'Number of inbound touches (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.outbound_touches IS 'Number of outbound touches (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.first_at IS 'Time of the first (convergent).';
COMMENT ON COLUMN tutti.dim_profile_channels.last_at IS 'Time of the last (convergent).';
GRANT SELECT ON tutti.dim_profile_channels TO tutti_reader;
