-- Stages, conversions and their credit. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.fct_stage_changes AS
SELECT s.stage_change_id, a.profile_id, s.journey_number, s.changed_at,
       tutti_meta.stage_name(s.from_stage) AS from_stage,
       tutti_meta.stage_name(s.to_stage) AS to_stage,
       tutti_meta.status_name(s.from_status) AS from_status,
       tutti_meta.status_name(s.to_status) AS to_status,
       tutti_meta.reason_name(s.reason) AS reason,
       s.touchpoint_id, s.seconds_in_stage, s.position AS change_position, s.loaded_at
FROM active.stage_changes AS s
JOIN journey.anchors AS a USING (anchor)
WHERE s.changed_at <= tutti.as_of()
UNION ALL
-- What the deadlines after the last inbound touch did, which no row says yet.
SELECT tutti_meta.id_xor(c.last_inbound_id, t.bits), a.profile_id, c.journey_number, t.changed_at,
       tutti_meta.stage_name(c.stage), tutti_meta.stage_name(t.to_stage), t.from_status, t.to_status, t.reason,
       c.last_inbound_id, floor(extract(epoch FROM t.changed_at - c.stage_since_at))::bigint, t.position::smallint, t.changed_at
FROM journey.current_states AS c
JOIN journey.anchors AS a ON a.anchor = c.last_inbound_anchor AND a.profile = c.profile
CROSS JOIN LATERAL (VALUES
    (1, c.at_risk_at, c.stage, tutti_meta.status_name(c.status), 'at_risk', 'inactivity', 1),
    (2, c.lapsed_at, c.stage, CASE WHEN c.at_risk_at IS NULL THEN tutti_meta.status_name(c.status) ELSE 'at_risk' END, 'lapsed', 'inactivity', 1),
    (3, c.exit_at, NULL, 'lapsed', 'lapsed', 'exit', CASE WHEN c.lapsed_at = c.exit_at THEN 2 ELSE 1 END)
) AS t (bits, changed_at, to_stage, from_status, to_status, reason, position)
WHERE t.changed_at <= tutti.as_of();
COMMENT ON VIEW tutti.fct_stage_changes IS 'Changes of stage or status up to tutti.as_of() (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.stage_change_id IS 'Id of the touch, or of the deadline that it set (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.journey_number IS 'Number of the customer''s journey; 365 days without an inbound touch end one (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.changed_at IS 'Time of the touch, or of the deadline (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.from_stage IS 'Stage before; null at the start of a journey (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.to_stage IS 'Stage after; null at its end (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.from_status IS 'Status before; null at the first touch (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.to_status IS 'Status after (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.reason IS 'rule, inactivity or exit (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.touchpoint_id IS 'The touch, or the last inbound touch before a deadline (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.seconds_in_stage IS 'Whole seconds since the last change of stage in this journey (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.change_position IS 'Place among the customer''s changes of that time, from 1: ORDER BY changed_at, change_position (convergent).';
COMMENT ON COLUMN tutti.fct_stage_changes.loaded_at IS 'When it was stored; of a deadline, when it passed (chronicle).';
GRANT SELECT ON tutti.fct_stage_changes TO tutti_reader;

-- A join on anchor, occurred_at and event_id is taken for one row, as if the three had nothing to do with each other, and the rest of
-- a query is then planned for one row. So rows carry what views need of their fact; only texts that few ask for are joined: LEFT,
-- which keeps the number of rows, and with nullif, so that a filter on them does not make it another join.
CREATE VIEW tutti.fct_conversions AS
SELECT coalesce(c.further_id, c.event_id) AS conversion_id, g.value AS goal_id, CASE WHEN a.version % 2 = 0 THEN a.profile_id END AS profile_id, c.event_id AS touchpoint_id, c.occurred_at AS converted_at,
       (c.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS conversion_date,
       s.department, s.channel, nullif(f.location_id, '') AS location_id, s.product_category, nullif(f.order_id, '') AS order_id,
       (c.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       (c.margin_micros * 0.000001)::numeric(20, 6) AS margin,
       s.currency, true AS is_counted, c.is_first,
       tutti_meta.stage_name(c.stage_before) AS stage_before,
       c.touch_count AS eligible_touch_count,
       CASE WHEN c.touch_count > 0
           THEN round((extract(epoch FROM c.occurred_at) * 1000000 - tutti_meta.be_int8(c.touches, 16)) / 86400000000, 6)
       END AS days_from_first_touch,
       (SELECT string_agg((SELECT h.channel FROM journey.shapes AS h WHERE h.shape = tutti_meta.be_int4(c.touches, i * 28 + 24)), ' > ' ORDER BY i)
        FROM generate_series(greatest(c.touch_count - 20, 0), c.touch_count - 1) AS i) AS path,
       c.loaded_at
FROM active.conversions AS c
LEFT JOIN journey.anchors AS a USING (anchor)
LEFT JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s ON s.shape = c.shape
JOIN journey.dictionary AS g ON g.code = c.goal
UNION ALL
-- Further tellings of an order that change its amounts.
SELECT coalesce(t.further_id, t.event_id), g.value, a.profile_id, t.event_id, t.occurred_at,
       (t.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date,
       seller.department, s.channel, nullif(f.location_id, ''), s.product_category, nullif(f.order_id, ''),
       (t.value_micros * 0.000001)::numeric(20, 6), (t.margin_micros * 0.000001)::numeric(20, 6),
       money.currency, false, false, tutti_meta.stage_name(o.stage_before), t.touch_count,
       CASE WHEN t.touch_count > 0
           THEN round((extract(epoch FROM t.occurred_at) * 1000000 - tutti_meta.be_int8(t.touches, 16)) / 86400000000, 6)
       END,
       (SELECT string_agg((SELECT h.channel FROM journey.shapes AS h WHERE h.shape = tutti_meta.be_int4(t.touches, i * 28 + 24)), ' > ' ORDER BY i)
        FROM generate_series(greatest(t.touch_count - 20, 0), t.touch_count - 1) AS i),
       t.loaded_at
FROM active.order_changes AS t
JOIN journey.anchors AS a USING (anchor)
LEFT JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s ON s.shape = t.shape
JOIN journey.shapes AS seller ON seller.shape = t.seller_shape
JOIN journey.shapes AS money ON money.shape = t.money_shape
LEFT JOIN active.conversions AS o
    ON o.anchor = t.order_anchor AND o.occurred_at = t.order_at AND o.event_id = t.order_event_id AND o.goal = t.goal
JOIN journey.dictionary AS g ON g.code = t.goal
WHERE NOT t.is_return AND (t.value_micros <> 0 OR t.margin_micros <> 0);
COMMENT ON VIEW tutti.fct_conversions IS 'Conversions by the active policies, before returns, one for each goal of a touchpoint: add up rows of one goal_id only; further tellings of an order that change its amounts have rows of their own (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.conversion_id IS 'Id of the conversion: that of its touchpoint, for further goals one of its own (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.goal_id IS 'Goal of the policies (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.profile_id IS 'Today''s profile; null where no customer is known (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.touchpoint_id IS 'Hash of source and message_id (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.converted_at IS 'Time of the conversion (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.conversion_date IS 'Its day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.department IS 'Unit that owns the touch (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.channel IS 'Channel of the conversion (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.location_id IS 'Store or branch (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.product_category IS 'Product category (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.order_id IS 'Order (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.revenue IS 'Value in currency (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.margin IS 'Margin in currency (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.currency IS 'ISO 4217 code of the conversion (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.is_counted IS 'Counts as one conversion; false for a further telling of an order (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.is_first IS 'First conversion of the customer for this goal (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.stage_before IS 'Stage that the conversion found (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.eligible_touch_count IS 'Number of touches that share the credit; 0 = unattributed (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.days_from_first_touch IS 'Days since the first of them (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.path IS 'Channels of the last 20 of them, in order (convergent).';
COMMENT ON COLUMN tutti.fct_conversions.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_conversions TO tutti_reader;

CREATE VIEW tutti.fct_conversion_lines AS
SELECT t.conversion_id, l.line_number::integer AS line_number,
       nullif(split_part(l.named, E'\x1f', 1), '') AS product_id,
       nullif(split_part(l.named, E'\x1f', 2), '') AS product_category,
       (nullif(split_part(l.amounts, E'\x1f', 1), '')::bigint * 0.000001)::numeric(20, 6) AS quantity,
       (nullif(split_part(l.amounts, E'\x1f', 2), '')::bigint * 0.000001)::numeric(20, 6) AS revenue,
       (nullif(split_part(l.amounts, E'\x1f', 3), '')::bigint * 0.000001)::numeric(20, 6) AS margin,
       s.currency, t.loaded_at
FROM (
    SELECT coalesce(k.further_id, k.event_id) AS conversion_id, k.shape AS money_shape, f.lines, f.line_amounts, f.loaded_at
    FROM active.conversions AS k
    JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
    UNION ALL
    -- A further telling that added its whole value is a part of the order; all others tell the same lines again.
    SELECT coalesce(k.further_id, k.event_id), k.money_shape, f.lines, f.line_amounts, f.loaded_at
    FROM active.order_changes AS k
    JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
    WHERE NOT k.is_return AND k.value_micros = f.value_micros AND (k.value_micros <> 0 OR k.margin_micros <> 0)
) AS t
JOIN journey.shapes AS s ON s.shape = t.money_shape
CROSS JOIN LATERAL ROWS FROM (string_to_table(t.lines, E'\n'), string_to_table(t.line_amounts, E'\n')) WITH ORDINALITY AS l (named, amounts, line_number)
WHERE l.named <> '' OR l.amounts <> '';
COMMENT ON VIEW tutti.fct_conversion_lines IS 'Lines of the orders of fct_conversions, as they were sent: before returns, and their sum may differ from the order''s revenue (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.conversion_id IS 'Id of the conversion, as in fct_conversions (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.line_number IS 'Place in the list of the order, from 1 to 64 (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.product_id IS 'Product (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.product_category IS 'Product category (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.quantity IS 'Quantity; null: not said (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.revenue IS 'Value of the line in currency, else price times quantity; null: neither was said (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.margin IS 'Margin of the line in currency (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.currency IS 'ISO 4217 code of the conversion (convergent).';
COMMENT ON COLUMN tutti.fct_conversion_lines.loaded_at IS 'When its touchpoint was stored (chronicle).';
GRANT SELECT ON tutti.fct_conversion_lines TO tutti_reader;

CREATE VIEW tutti.fct_attributions AS
SELECT r.conversion_id,
       coalesce(r.touchpoint_id, '00000000-0000-0000-0000-000000000000') AS touchpoint_id,
       r.model, g.value AS goal_id, r.profile_id, r.occurred_at AS converted_at, tutti_meta.from_micros(r.touched_us) AS touched_at,
       r.touch_position, r.touch_count AS path_length,
       ((extract(epoch FROM r.occurred_at) * 1000000)::bigint - r.touched_us) / 1000000 AS seconds_before,
       CASE WHEN r.profile_id IS NULL THEN '(unidentified)' WHEN r.touch_count = 0 THEN '(unattributed)' ELSE t.channel END AS touch_channel,
       t.department AS touch_department, t.purpose AS touch_purpose, t.campaign_id, n.campaign_name,
       r.department AS conversion_department,
       (r.credit * 0.000001)::numeric(9, 6) AS credit,
       (r.revenue * 0.000001)::numeric(20, 6) AS attributed_revenue,
       (r.margin_part * 0.000001)::numeric(20, 6) AS attributed_margin,
       r.currency, r.loaded_at
FROM (
    SELECT c.*, p.model, p.credit, p.revenue, p.margin_part,
           CASE WHEN c.touch_count > 0 THEN p.touch + 1 ELSE 0 END AS touch_position,
           CASE WHEN c.touch_count > 0 THEN tutti_meta.be_uuid(c.touches, p.touch * 28) END AS touchpoint_id,
           CASE WHEN c.touch_count > 0 THEN tutti_meta.be_int8(c.touches, p.touch * 28 + 16) END AS touched_us,
           CASE WHEN c.touch_count > 0 THEN tutti_meta.be_int4(c.touches, p.touch * 28 + 24) END AS touch_shape
    FROM (
        SELECT coalesce(k.further_id, k.event_id) AS conversion_id, k.occurred_at, k.goal, k.touch_count, k.touches, k.loaded_at, a.profile_id, s.department, s.currency,
               k.occurred_at AS shared_at, 1000000 AS share, k.value_micros, k.margin_micros, 0::bigint AS value_before, 0::bigint AS margin_before
        FROM active.conversions AS k
        LEFT JOIN journey.anchors AS a ON a.anchor = k.anchor AND a.version % 2 = 0
        JOIN journey.shapes AS s USING (shape)
        UNION ALL
        -- Returns and further tellings; where no touch shares, also what was returned beyond the order.
        SELECT coalesce(k.further_id, k.event_id) AS conversion_id, k.occurred_at, k.goal, k.touch_count, k.touches, k.loaded_at, a.profile_id, s.department, money.currency,
               k.order_at, k.share, k.value_micros + CASE k.touch_count WHEN 0 THEN k.over_micros ELSE 0 END,
               CASE WHEN k.share <> 0 OR k.value_micros <> 0 OR k.margin_micros <> 0 THEN k.margin_micros END,
               k.value_before, k.margin_before
        FROM active.order_changes AS k
        LEFT JOIN journey.anchors AS a ON a.anchor = k.anchor AND a.version % 2 = 0
        JOIN journey.shapes AS s ON s.shape = k.seller_shape
        JOIN journey.shapes AS money ON money.shape = k.money_shape
        WHERE k.share <> 0 OR k.value_micros <> 0 OR k.margin_micros <> 0 OR (k.touch_count = 0 AND k.over_micros <> 0)
        UNION ALL
        SELECT coalesce(k.further_id, k.event_id) AS conversion_id, k.occurred_at, k.goal, 0, '', k.loaded_at, a.profile_id, s.department, money.currency,
               k.order_at, 0, k.over_micros, NULL, 0, 0
        FROM active.order_changes AS k
        LEFT JOIN journey.anchors AS a ON a.anchor = k.anchor AND a.version % 2 = 0
        JOIN journey.shapes AS s ON s.shape = k.seller_shape
        JOIN journey.shapes AS money ON money.shape = k.money_shape
        WHERE k.touch_count > 0 AND k.over_micros <> 0
    ) AS c
    -- Equal parts, and all of it to one touch; the models with weights only where there are several touches to weigh.
    CROSS JOIN LATERAL (
        SELECT m.model, i AS touch, tutti_meta.credit_part(c.share, m.parts, m.part)::numeric AS credit,
               tutti_meta.credit_change(c.value_before, c.value_micros, m.parts, m.part) AS revenue,
               tutti_meta.credit_change(c.margin_before, c.margin_micros, m.parts, m.part) AS margin_part
        FROM generate_series(0, greatest(c.touch_count, 1) - 1) AS i
        CROSS JOIN LATERAL (VALUES
            ('first_touch', 0, 1, 0),
            ('last_touch', greatest(c.touch_count, 1) - 1, 1, 0),
            ('linear', i, greatest(c.touch_count, 1), i),
            ('position_based', CASE WHEN c.touch_count <= 1 THEN 0 END, 1, 0),
            ('time_decay', CASE WHEN c.touch_count <= 1 THEN 0 END, 1, 0)
        ) AS m (model, credited, parts, part)
        WHERE m.credited = i
        UNION ALL
        SELECT m.model, w.touch, w.credit, w.revenue, w.margin_part
        FROM (VALUES ('position_based'), ('time_decay')) AS m (model)
        CROSS JOIN LATERAL tutti_meta.weighed_credits(m.model, (SELECT first_percent FROM tutti_meta.active), (SELECT last_percent FROM tutti_meta.active),
                                                      (SELECT half_life_seconds FROM tutti_meta.active), c.touch_count, c.touches, c.shared_at, c.share,
                                                      c.value_before, c.value_micros, c.margin_before, c.margin_micros) AS w
        WHERE c.touch_count > 1
    ) AS p
) AS r
JOIN journey.dictionary AS g ON g.code = r.goal
LEFT JOIN journey.shapes AS t ON t.shape = r.touch_shape
LEFT JOIN journey.campaign_names AS n ON n.campaign_id = t.campaign_id;
COMMENT ON VIEW tutti.fct_attributions IS 'Which touch gets how much credit for a conversion, or loses for a return, by model; the rows of one model add up to it (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.conversion_id IS 'Id of the conversion, further telling or return: as in fct_conversions (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.touchpoint_id IS 'The credited touch; the nil uuid where there is none (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.model IS 'first_touch, last_touch, linear, position_based or time_decay (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.goal_id IS 'Goal of the policies (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.profile_id IS 'Today''s profile; null where no customer is known (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.converted_at IS 'Time of the conversion, further telling or return (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.touched_at IS 'Time of the credited touch (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.touch_position IS 'Its place among the eligible touches, from 1; 0 = unattributed (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.path_length IS 'Number of eligible touches (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.seconds_before IS 'Whole seconds from the touch to the conversion (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.touch_channel IS 'Channel of the credited touch, (unattributed) or (unidentified) (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.touch_department IS 'Department of the credited touch (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.touch_purpose IS 'Purpose of the credited touch (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.campaign_id IS 'Campaign as sent (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.campaign_name IS 'Name of the campaign: the greatest that any touchpoint gave it (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.conversion_department IS 'Department that converted (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.credit IS 'Share of the conversion; adds up to 1, of a full return to -1, of other returns and tellings to 0 (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.attributed_revenue IS 'Share of the revenue, to the micro-unit (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.attributed_margin IS 'Share of the margin, to the micro-unit (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.currency IS 'ISO 4217 code of the conversion (convergent).';
COMMENT ON COLUMN tutti.fct_attributions.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_attributions TO tutti_reader;

CREATE VIEW tutti.fct_returns AS
SELECT r.event_id AS return_id, CASE WHEN a.version % 2 = 0 THEN a.profile_id END AS profile_id, r.occurred_at AS returned_at,
       (r.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS return_date,
       nullif(f.order_id, '') AS order_id, coalesce(o.further_id, r.order_event_id) AS conversion_id, g.value AS goal_id, s.department, s.channel, s.product_category, money.currency,
       (CASE WHEN r.order_event_id IS NULL THEN 0 ELSE -r.value_micros END * 0.000001)::numeric(20, 6) AS returned_revenue,
       (CASE WHEN r.order_event_id IS NOT NULL AND NOT r.is_repeat THEN -r.margin_micros END * 0.000001)::numeric(20, 6) AS returned_margin,
       (CASE WHEN r.order_event_id IS NULL THEN -r.value_micros - r.over_micros ELSE -r.over_micros END * 0.000001)::numeric(20, 6) AS unmatched_revenue,
       r.is_full, r.is_repeat, r.loaded_at
FROM active.order_changes AS r
LEFT JOIN journey.anchors AS a USING (anchor)
LEFT JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s ON s.shape = r.shape
JOIN journey.shapes AS money ON money.shape = r.money_shape
LEFT JOIN active.conversions AS o
    ON o.anchor = r.order_anchor AND o.occurred_at = r.order_at AND o.event_id = r.order_event_id AND o.goal = r.goal
LEFT JOIN journey.dictionary AS g ON g.code = r.goal
WHERE r.is_return;
COMMENT ON VIEW tutti.fct_returns IS 'Returns, with what each takes back of its order, for each goal of the order; repeats included. Key: return_id, goal_id (convergent).';
COMMENT ON COLUMN tutti.fct_returns.return_id IS 'Id of the return: that of its touchpoint (convergent).';
COMMENT ON COLUMN tutti.fct_returns.profile_id IS 'Today''s profile; null where no customer is known (convergent).';
COMMENT ON COLUMN tutti.fct_returns.returned_at IS 'Time of the return (convergent).';
COMMENT ON COLUMN tutti.fct_returns.return_date IS 'Its day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.fct_returns.order_id IS 'Order that it names (convergent).';
COMMENT ON COLUMN tutti.fct_returns.conversion_id IS 'Id of that order; null: none is known (convergent).';
COMMENT ON COLUMN tutti.fct_returns.goal_id IS 'Goal of the order (convergent).';
COMMENT ON COLUMN tutti.fct_returns.department IS 'Unit that owns the return (convergent).';
COMMENT ON COLUMN tutti.fct_returns.channel IS 'Channel of the return (convergent).';
COMMENT ON COLUMN tutti.fct_returns.product_category IS 'Product category as sent with the return (convergent).';
COMMENT ON COLUMN tutti.fct_returns.currency IS 'ISO 4217 code of what it takes back (convergent).';
COMMENT ON COLUMN tutti.fct_returns.returned_revenue IS 'What it takes from the value of its order, a positive number (convergent).';
COMMENT ON COLUMN tutti.fct_returns.returned_margin IS 'What it takes from the margin of its order; null: the order has none (convergent).';
COMMENT ON COLUMN tutti.fct_returns.unmatched_revenue IS 'What it takes beyond its order, or without one: unattributed (convergent).';
COMMENT ON COLUMN tutti.fct_returns.is_full IS 'It left nothing of the order and took back the count (convergent).';
COMMENT ON COLUMN tutti.fct_returns.is_repeat IS 'Another system told this return before: it takes back nothing (convergent).';
COMMENT ON COLUMN tutti.fct_returns.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_returns TO tutti_reader;

CREATE VIEW tutti.rpt_attributions_daily AS
SELECT c.day AS conversion_date, c.goal AS goal_id, c.model, coalesce(c.segment_id, '(all)') AS segment_id,
       coalesce(c.touch_channel, '(unattributed)') AS touch_channel,
       CASE WHEN c.touch_channel IS NULL THEN '(unattributed)' ELSE coalesce(c.touch_department, '(none)') END AS touch_department,
       CASE WHEN c.touch_channel IS NULL THEN '(unattributed)' ELSE coalesce(c.touch_purpose, '(none)') END AS touch_purpose,
       CASE WHEN c.touch_channel <> '(unidentified)' THEN coalesce(c.campaign_id, '(none)') END AS campaign_id,
       n.campaign_name,
       coalesce(c.conversion_department, '(none)') AS conversion_department,
       c.currency,
       (c.credit_millionths * 0.000001)::numeric(20, 6) AS attributed_conversions,
       (c.revenue_micros * 0.000001)::numeric(38, 6) AS attributed_revenue,
       (c.margin_micros * 0.000001)::numeric(38, 6) AS attributed_margin,
       (c.revenue_with_margin_micros * 0.000001)::numeric(38, 6) AS revenue_with_margin,
       c.touches::bigint AS touches
FROM (
    SELECT day, goal, model, segment_id, touch_channel, touch_department, touch_purpose, campaign_id, conversion_department, currency,
           sum(credit_millionths) AS credit_millionths,
           sum(revenue_micros) AS revenue_micros,
           sum(margin_micros) FILTER (WHERE has_margin) AS margin_micros,
           sum(revenue_micros) FILTER (WHERE has_margin) AS revenue_with_margin_micros,
           sum(touches) AS touches
    FROM metrics.credits
    WHERE rows <> 0
    GROUP BY day, goal, model, segment_id, touch_channel, touch_department, touch_purpose, campaign_id, conversion_department, currency
) AS c
LEFT JOIN journey.campaign_names AS n USING (campaign_id)
WHERE c.day <= (SELECT today FROM tutti_meta.active);
COMMENT ON VIEW tutti.rpt_attributions_daily IS 'Credit by day, goal, model and kind of touch, net of returns: add up rows of one segment_id only (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.conversion_date IS 'Its day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.goal_id IS 'Goal of the policies (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.model IS 'One of attribution.models of journey.json (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.segment_id IS '(all) = everybody, or a segment that the customer was in before the conversion; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.touch_channel IS 'Channel of the credited touch, (unattributed) or (unidentified) (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.touch_department IS 'Department of the credited touch, (none), (unattributed) or (unidentified) (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.touch_purpose IS 'Purpose of the credited touch, (none), (unattributed) or (unidentified) (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.campaign_id IS 'Campaign of the credited touch, or (none); null where unattributed or unidentified (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.campaign_name IS 'Name of the campaign: the greatest that any touchpoint gave it (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.conversion_department IS 'Department that converted, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.currency IS 'ISO 4217 code of the conversion (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.attributed_conversions IS 'Sum of credit (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.attributed_revenue IS 'Share of the revenue, to the micro-unit (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.attributed_margin IS 'Share of the margin, to the micro-unit; null if no conversion says it (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.revenue_with_margin IS 'Share of the revenue of the conversions that say their margin; null if none does (convergent).';
COMMENT ON COLUMN tutti.rpt_attributions_daily.touches IS 'Number of credited touches (convergent).';
GRANT SELECT ON tutti.rpt_attributions_daily TO tutti_reader;

-- A day on which any customer changed stage has a row for every stage that customers were in up to then.
CREATE VIEW tutti.rpt_stages_daily AS
WITH changes AS MATERIALIZED (
    SELECT day, stage, change, entries
    FROM metrics.stages
    WHERE day <= (SELECT today FROM tutti_meta.active) AND (change <> 0 OR entries <> 0)
), shown AS (
    SELECT d.day, s.stage, coalesce(c.change, 0) AS change, coalesce(c.entries, 0) AS entries
    FROM (SELECT DISTINCT day FROM changes) AS d
    JOIN (SELECT stage, min(day) AS first_day FROM changes GROUP BY stage) AS s ON s.first_day <= d.day
    LEFT JOIN changes AS c ON c.day = d.day AND c.stage = s.stage
)
SELECT day AS stage_date, '(all)'::text AS segment_id, stage,
       (sum(change) OVER (PARTITION BY stage ORDER BY day))::bigint AS customers,
       entries::bigint AS entries,
       (entries - change)::bigint AS exits
FROM shown;
COMMENT ON VIEW tutti.rpt_stages_daily IS 'Customers per stage and day, for the days on which any customer entered or left a stage. Key: stage_date, segment_id, stage (convergent).';
COMMENT ON COLUMN tutti.rpt_stages_daily.stage_date IS 'Day in the reporting zone; a day without a row is like the last one that has one (convergent).';
COMMENT ON COLUMN tutti.rpt_stages_daily.segment_id IS 'Segment; (all) = everybody (convergent).';
COMMENT ON COLUMN tutti.rpt_stages_daily.stage IS 'Stage of the journey (convergent).';
COMMENT ON COLUMN tutti.rpt_stages_daily.customers IS 'Customers in the stage at the end of the day: add up stages of one day, never days (convergent).';
COMMENT ON COLUMN tutti.rpt_stages_daily.entries IS 'Times that a customer entered the stage that day: may be added up over days and stages (convergent).';
COMMENT ON COLUMN tutti.rpt_stages_daily.exits IS 'Times that a customer left the stage that day, for another one or because the journey ended: may be added up over days and stages (convergent).';
GRANT SELECT ON tutti.rpt_stages_daily TO tutti_reader;

CREATE VIEW tutti.rpt_funnel AS
WITH cells AS MATERIALIZED (
    SELECT month, coalesce(segment_id, '(all)') AS segment_id, stage, reached, passed_over, seconds
    FROM metrics.funnel
    WHERE reached <> 0
), fed AS (
    SELECT stage
    FROM cells
    WHERE segment_id = '(all)'
    GROUP BY stage
    HAVING sum(reached - passed_over) > 0
)
SELECT cohort.month AS period_start_date, cohort.segment_id, rung.stage,
       coalesce(c.reached, 0)::bigint AS reached, coalesce(c.passed_over, 0)::bigint AS passed_over, coalesce(c.seconds, 0)::bigint AS seconds_sum,
       rung.stage IN (SELECT stage FROM fed) AS is_fed
FROM (SELECT DISTINCT month, segment_id FROM cells WHERE month <= (SELECT today FROM tutti_meta.active)) AS cohort
JOIN (SELECT tutti_meta.stage_name(code) AS stage FROM generate_series(1, 32) AS code) AS rung ON rung.stage IS NOT NULL
LEFT JOIN cells AS c USING (month, segment_id, stage);
COMMENT ON VIEW tutti.rpt_funnel IS 'How far the journeys got that began in a month. Key: period_start_date, segment_id, stage (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.period_start_date IS 'First day of the month of the first touch of the journeys (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.segment_id IS '(all) = everybody, or a segment that the customer was in before that touch; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.stage IS 'A stage; every month has all of them (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.reached IS 'Journeys that reached this stage or a higher one (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.passed_over IS 'Those of them that went to a higher stage at once (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.seconds_sum IS 'Time from the first touch to the touch that reached it, in seconds; divide by reached for the mean (convergent).';
COMMENT ON COLUMN tutti.rpt_funnel.is_fed IS 'False: no journey of any month came to this stage by a rule of its own, because no rule or no source leads there (convergent).';
GRANT SELECT ON tutti.rpt_funnel TO tutti_reader;
