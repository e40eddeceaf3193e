-- migrate:up
-- One index serves both the services (members of a profile) and people who ask for one profile; two cost a microsecond per customer.
DROP INDEX journey.anchors_profile;
DROP INDEX suppression.anchors_profile;
CREATE INDEX anchors_profile_id ON suppression.anchors (profile_id);

-- Touchpoints of a shared profile (odd version) are listed; they belong to no session and are no conversion.
CREATE OR REPLACE VIEW tutti.fct_touchpoints AS
SELECT t.event_id AS touchpoint_id, t.source, t.message_id, t.profile_id, t.occurred_at, t.received_at,
       t.local_at::date AS occurred_date,
       extract(hour FROM t.local_at)::smallint AS local_hour,
       extract(dow FROM t.local_at)::smallint AS local_weekday,
       t.direction, t.channel, t.network, t.department, t.purpose, t.contact_class, t.event AS event_name, t.touch_kind,
       t.campaign_id, n.campaign_name, t.content_id, t.product_id, t.product_category, t.location_id, t.agent_id, t.order_id,
       t.device_type, t.country,
       CASE WHEN t.is_inbound
           THEN count(*) FILTER (WHERE t.opens_session) OVER (PARTITION BY t.profile_id, t.is_inbound ORDER BY t.occurred_at, t.event_id, t.anchor)::integer
       END AS session_number,
       t.score, t.score_kind,
       (t.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       (t.margin_micros * 0.000001)::numeric(20, 6) AS margin,
       (t.cost_micros * 0.000001)::numeric(20, 6) AS cost,
       t.currency,
       t.is_goal_event AND (NOT t.needs_value OR coalesce(t.value_micros, 0) > 0) AS is_goal,
       coalesce(t.received_at > t.occurred_at + interval '24 hours', false) AS is_late,
       t.event = 'Contact Sent' AND t.decision_id IS NULL AS is_unasked,
       t.loaded_at
FROM (
    SELECT d.*,
           coalesce(d.occurred_at > lag(d.occurred_at) OVER (PARTITION BY d.profile_id, d.is_inbound ORDER BY d.occurred_at, d.event_id, d.anchor)
                                    + (SELECT session FROM tutti_meta.active), true) AS opens_session
    FROM (
        SELECT a.profile_id, f.anchor, f.occurred_at, f.event_id, f.received_at, f.value_micros, f.margin_micros, f.cost_micros, f.score,
               f.message_id, f.order_id, f.content_id, f.product_id, f.location_id, f.agent_id, f.decision_id, f.loaded_at,
               s.source, s.event, s.channel, s.network, s.department, s.purpose, s.contact_class, s.touch_kind, s.campaign_id,
               s.product_category, s.device_type, s.country, s.score_kind, s.currency,
               a.version % 2 = 0 AND s.is_goal_event AS is_goal_event, s.needs_value,
               f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active) AS local_at,
               w.direction,
               coalesce(a.version % 2 = 0 AND w.direction = 'inbound' AND s.event NOT IN ('Contact Requested', 'Contact Failed', 'Contact Cancelled'), false)
                   AS is_inbound
        FROM journey.facts AS f
        JOIN journey.anchors AS a USING (anchor)
        JOIN journey.shapes AS s USING (shape)
        CROSS JOIN LATERAL (
            SELECT CASE
                       WHEN s.direction IN ('inbound', 'outbound') THEN s.direction
                       WHEN s.type IN ('identify', 'alias', 'group', 'merge') THEN NULL
                       WHEN s.event = 'Campaign Sent' OR s.event LIKE 'Contact %' THEN 'outbound'
                       ELSE 'inbound'
                   END AS direction
        ) AS w
    ) AS d
) AS t
LEFT JOIN journey.campaign_names AS n USING (campaign_id);

-- migrate:down
CREATE OR REPLACE VIEW tutti.fct_touchpoints AS
SELECT t.event_id AS touchpoint_id, t.source, t.message_id, t.profile_id, t.occurred_at, t.received_at,
       t.local_at::date AS occurred_date,
       extract(hour FROM t.local_at)::smallint AS local_hour,
       extract(dow FROM t.local_at)::smallint AS local_weekday,
       t.direction, t.channel, t.network, t.department, t.purpose, t.contact_class, t.event AS event_name, t.touch_kind,
       t.campaign_id, n.campaign_name, t.content_id, t.product_id, t.product_category, t.location_id, t.agent_id, t.order_id,
       t.device_type, t.country,
       CASE WHEN t.is_inbound
           THEN count(*) FILTER (WHERE t.opens_session) OVER (PARTITION BY t.profile_id, t.is_inbound ORDER BY t.occurred_at, t.event_id, t.anchor)::integer
       END AS session_number,
       t.score, t.score_kind,
       (t.value_micros * 0.000001)::numeric(20, 6) AS revenue,
       (t.margin_micros * 0.000001)::numeric(20, 6) AS margin,
       (t.cost_micros * 0.000001)::numeric(20, 6) AS cost,
       t.currency,
       t.is_goal_event AND (NOT t.needs_value OR coalesce(t.value_micros, 0) > 0) AS is_goal,
       coalesce(t.received_at > t.occurred_at + interval '24 hours', false) AS is_late,
       t.event = 'Contact Sent' AND t.decision_id IS NULL AS is_unasked,
       t.loaded_at
FROM (
    SELECT d.*,
           coalesce(d.occurred_at > lag(d.occurred_at) OVER (PARTITION BY d.profile_id, d.is_inbound ORDER BY d.occurred_at, d.event_id, d.anchor)
                                    + (SELECT session FROM tutti_meta.active), true) AS opens_session
    FROM (
        SELECT a.profile_id, f.anchor, f.occurred_at, f.event_id, f.received_at, f.value_micros, f.margin_micros, f.cost_micros, f.score,
               f.message_id, f.order_id, f.content_id, f.product_id, f.location_id, f.agent_id, f.decision_id, f.loaded_at,
               s.source, s.event, s.channel, s.network, s.department, s.purpose, s.contact_class, s.touch_kind, s.campaign_id,
               s.product_category, s.device_type, s.country, s.score_kind, s.currency, s.is_goal_event, s.needs_value,
               f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active) AS local_at,
               w.direction,
               coalesce(w.direction = 'inbound' AND s.event NOT IN ('Contact Requested', 'Contact Failed', 'Contact Cancelled'), false)
                   AS is_inbound
        FROM journey.facts AS f
        JOIN journey.anchors AS a USING (anchor)
        JOIN journey.shapes AS s USING (shape)
        CROSS JOIN LATERAL (
            SELECT CASE
                       WHEN s.direction IN ('inbound', 'outbound') THEN s.direction
                       WHEN s.type IN ('identify', 'alias', 'group', 'merge') THEN NULL
                       WHEN s.event = 'Campaign Sent' OR s.event LIKE 'Contact %' THEN 'outbound'
                       ELSE 'inbound'
                   END AS direction
        ) AS w
    ) AS d
) AS t
LEFT JOIN journey.campaign_names AS n USING (campaign_id);

DROP INDEX suppression.anchors_profile_id;
CREATE INDEX anchors_profile ON suppression.anchors (profile);
CREATE INDEX anchors_profile ON journey.anchors (profile);
