-- Touchpoints. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.fct_touchpoints AS
SELECT t.event_id AS touchpoint_id, t.source, t.message_id, t.profile_id, t.occurred_at, t.received_at,
       (t.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS occurred_date,
       extract(hour FROM l.local_at)::smallint AS local_hour,
       extract(dow FROM l.local_at)::smallint AS local_weekday,
       t.rank::smallint AS instant_rank,
       t.direction, t.channel, t.network, t.department, t.purpose, t.contact_class, t.event AS event_name, t.touch_kind, t.node,
       t.campaign_id, n.campaign_name, t.content_id, t.product_id, t.product_category, t.location_id, t.agent_id, t.order_id,
       t.case_id, tutti_meta.uuid_or_null(t.opportunity_id) AS opportunity_id,
       t.device_type, t.country,
       CASE WHEN t.is_inbound THEN t.sessions END AS session_number,
       t.score, t.score_kind,
       (t.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       (t.margin_micros * 0.000001)::numeric(20, 6) AS margin,
       (t.cost_micros * 0.000001)::numeric(20, 6) AS cost,
       t.currency,
       t.is_goal,
       coalesce(t.received_at > t.occurred_at + interval '24 hours', false) AS is_late,
       t.is_bot,
       t.event = 'Contact Sent' AND NOT EXISTS (SELECT FROM suppression.decisions AS d WHERE d.request_id = tutti_meta.uuid_or_null(t.decision_id)) AS is_unasked,
       t.loaded_at
FROM (
    SELECT o.*, (count(*) FILTER (WHERE o.opens_session) OVER (PARTITION BY o.profile_id ORDER BY o.occurred_at, o.rank, o.event_id, o.anchor
                                                               ROWS UNBOUNDED PRECEDING))::integer AS sessions
    FROM (
        -- All windows have one order: the rows are sorted once. The long rows of zones are joined after that.
        SELECT d.*,
               d.is_inbound AND coalesce(d.occurred_at > max(d.occurred_at) FILTER (WHERE d.is_inbound) OVER earlier
                                                         + (SELECT session FROM tutti_meta.active), true) AS opens_session,
               tutti_meta.newest(d.zone) OVER until AS person_zone
        FROM (
            SELECT a.profile_id, f.anchor, f.occurred_at, f.event_id, f.received_at, f.value_micros, f.margin_micros, f.cost_micros, f.score,
                   CASE WHEN f.zone > 0 THEN f.zone END AS zone, f.message_id, f.order_id, f.content_id, f.product_id, f.location_id, f.agent_id, f.decision_id, f.case_id, f.opportunity_id, f.loaded_at,
                   s.source, s.event, s.channel, s.network, s.department, s.purpose, s.contact_class, s.touch_kind, s.campaign_id,
                   s.product_category, s.device_type, s.country, s.score_kind, s.currency,
                   s.shown_direction AS direction, tutti_meta.touch_rank(CASE WHEN s.is_touch THEN s.shown_direction END, w.is_sale, w.is_return) AS rank,
                   a.version % 2 = 0 AND w.is_sale AND NOT EXISTS (
                       SELECT FROM active.sale_copies AS c WHERE (c.anchor, c.occurred_at, c.event_id) = (f.anchor, f.occurred_at, f.event_id)
                   ) AND NOT EXISTS (
                       -- A copy of an order changes nothing.
                       SELECT FROM active.order_changes AS o
                       WHERE (o.anchor, o.occurred_at, o.event_id) = (f.anchor, f.occurred_at, f.event_id)
                           AND o.value_micros = 0 AND coalesce(o.margin_micros, 0) = 0
                   ) AS is_goal,
                   CASE WHEN NOT s.is_touch OR a.version % 2 = 1 THEN NULL
                        WHEN NOT w.is_sale OR EXISTS (
                            SELECT FROM active.sale_copies AS c WHERE (c.anchor, c.occurred_at, c.event_id) = (f.anchor, f.occurred_at, f.event_id)
                        ) OR EXISTS (
                            SELECT FROM active.order_changes AS o WHERE (o.anchor, o.occurred_at, o.event_id) = (f.anchor, f.occurred_at, f.event_id)
                        ) THEN s.touch_kind ELSE '(conversion)' END AS node,
                   coalesce(a.version % 2 = 0 AND s.is_touch AND s.shown_direction = 'inbound', false) AS is_inbound, s.is_bot
            FROM journey.facts AS f
            JOIN journey.anchors AS a USING (anchor)
            JOIN active.shapes AS s USING (shape)
            CROSS JOIN LATERAL (SELECT s.is_return_event OR (s.is_goal_event AND coalesce(f.value_micros, 0) < 0) AS is_return,
                                       s.is_goal_event AND coalesce(f.value_micros, 0) >= CASE WHEN s.needs_value THEN 1 ELSE 0 END AS is_sale) AS w
            WHERE NOT EXISTS (SELECT FROM active.repeats AS r WHERE (r.anchor, r.occurred_at, r.event_id) = (f.anchor, f.occurred_at, f.event_id))
        ) AS d
        WINDOW earlier AS (PARTITION BY d.profile_id ORDER BY d.occurred_at, d.rank, d.event_id, d.anchor ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
               until AS (PARTITION BY d.profile_id ORDER BY d.occurred_at, d.rank, d.event_id, d.anchor ROWS UNBOUNDED PRECEDING)
    ) AS o
) AS t
LEFT JOIN journey.campaign_names AS n USING (campaign_id)
LEFT JOIN tutti_meta.active_zones AS z ON z.code = t.person_zone
CROSS JOIN LATERAL (
    SELECT CASE WHEN z.code IS NULL THEN t.occurred_at AT TIME ZONE (SELECT person_zone FROM tutti_meta.active)
                ELSE t.occurred_at AT TIME ZONE 'UTC'
                     + coalesce(z.offsets[width_bucket(t.occurred_at, z.changed_at)], z.first_offset) * interval '1 second'
           END AS local_at
) AS l;
COMMENT ON VIEW tutti.fct_touchpoints IS 'Every distinct identified touchpoint, under today''s profile; a message that came under several of its identifiers once (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.touchpoint_id IS 'Hash of source and message_id (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.source IS 'URI of the producing system (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.message_id IS 'Id given by the producing system (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.occurred_at IS 'When it happened (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.received_at IS 'When the producing system received it (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.occurred_date IS 'Its day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.local_hour IS 'Hour of the day, 0 to 23, in the zone of the person (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.local_weekday IS 'Day of the week, 0 = Sunday, in the zone of the person (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.instant_rank IS 'Place within its instant, 0 to 4: the order of a profile is occurred_at, instant_rank, touchpoint_id (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.direction IS 'inbound, outbound or null (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.channel IS 'Channel as sent (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.network IS 'Search engine, site or ad network it came from (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.department IS 'Unit that owns the touch (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.purpose IS 'Purpose as sent: brand, acquisition, retention, cross_sell, recovery, service (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.contact_class IS 'Class of the contact, such as marketing or service (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.event_name IS 'Name of the event; the type where it has none (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.touch_kind IS 'Channel and event, or channel and network it came from (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.node IS 'Node of the journey map: touch_kind or (conversion); null: it is no touch (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.campaign_id IS 'Campaign as sent (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.campaign_name IS 'Name of the campaign: the greatest that any touchpoint gave it (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.content_id IS 'Content, creative or coupon (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.product_id IS 'Product (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.product_category IS 'Product category (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.location_id IS 'Store or branch (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.agent_id IS 'Member of staff (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.order_id IS 'Order (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.case_id IS 'Complaint, claim or service case that it belongs to (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.opportunity_id IS 'Opportunity that it names, null where what was sent is no id (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.device_type IS 'Kind of device (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.country IS 'Country as sent (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.session_number IS 'Number of the customer''s session, for inbound touches (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.score IS 'Satisfaction, -100 to 100 (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.score_kind IS 'csat, nps or ces (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.revenue IS 'Value in currency (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.margin IS 'Margin in currency (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.cost IS 'Cost in currency (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.currency IS 'ISO 4217 code (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.is_goal IS 'It is a conversion (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.is_late IS 'It was received more than 24 hours after it happened (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.is_bot IS 'A program and no person did it (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.is_unasked IS 'A contact that was sent and names no request that is stored (convergent).';
COMMENT ON COLUMN tutti.fct_touchpoints.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_touchpoints TO tutti_reader;

CREATE VIEW tutti.fct_unidentified_touchpoints AS
SELECT f.event_id AS touchpoint_id, s.source, f.message_id, f.occurred_at, f.received_at,
       (f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS occurred_date,
       s.direction, s.channel, s.department, s.purpose, s.event AS event_name,
       (f.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       s.currency, f.order_id, f.loaded_at
FROM journey.facts AS f
JOIN journey.shapes AS s USING (shape)
WHERE f.anchor = 0;
COMMENT ON VIEW tutti.fct_unidentified_touchpoints IS 'Touchpoints without a usable identifier: in no profile and in no journey; their sales are in the totals (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.touchpoint_id IS 'Hash of source and message_id (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.source IS 'URI of the producing system (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.message_id IS 'Id given by the producing system (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.occurred_at IS 'When it happened (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.received_at IS 'When the producing system received it (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.occurred_date IS 'Its day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.direction IS 'inbound, outbound or null (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.channel IS 'Channel as sent (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.department IS 'Unit that owns the touch (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.purpose IS 'Purpose as sent: brand, acquisition, retention, cross_sell, recovery, service (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.event_name IS 'Name of the event; the type where it has none (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.revenue IS 'Value in currency (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.currency IS 'ISO 4217 code (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.order_id IS 'Order (convergent).';
COMMENT ON COLUMN tutti.fct_unidentified_touchpoints.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_unidentified_touchpoints TO tutti_reader;
