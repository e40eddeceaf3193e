-- What contacts earn beyond what would have come anyway. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti_meta.active_holdouts AS
SELECT r ->> 'id' AS holdout,
       CASE WHEN json_typeof(r -> 'channels') = 'array'
            THEN ARRAY(SELECT tutti_meta.channel_name(v) FROM json_array_elements_text(r -> 'channels') AS v) END AS channels,
       CASE WHEN json_typeof(r -> 'classes') = 'array' THEN ARRAY(SELECT json_array_elements_text(r -> 'classes')) END AS classes,
       CASE WHEN json_typeof(r -> 'tags') = 'array' THEN ARRAY(SELECT json_array_elements_text(r -> 'tags')) END AS tags,
       CASE WHEN json_typeof(r -> 'campaigns') = 'array' THEN ARRAY(SELECT json_array_elements_text(r -> 'campaigns')) END AS campaigns
FROM tutti_meta.generations AS g
CROSS JOIN LATERAL json_array_elements(g.policies -> 'contact.json' -> 'rules') AS r
WHERE g.is_active AND r ->> 'kind' = 'holdout';
COMMENT ON VIEW tutti_meta.active_holdouts IS 'The holdouts of the active policies: which contacts they are for, null for all (chronicle).';

CREATE VIEW tutti.rpt_holdout_lift AS
WITH people AS MATERIALIZED (
    SELECT p.holdout, h.days, p.profile_id, p.is_control, p.is_mixed, p.assigned_at, p.assigned_at + h.days * interval '24 hours' AS until_at,
           p.basis_points / 10000.0 AS share, m.assigned_month
    FROM suppression.profile_arms AS p
    CROSS JOIN (VALUES (7), (30), (90)) AS h (days)
    -- Everybody twice: in all months together, and in his own.
    CROSS JOIN LATERAL (VALUES ('-infinity'::date), (date_trunc('month', p.assigned_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date))
        AS m (assigned_month)
    WHERE p.assigned_at + h.days * interval '24 hours' <= tutti.as_of()
), groups AS MATERIALIZED (
    SELECT holdout, days, assigned_month,
           count(*) FILTER (WHERE NOT is_mixed AND NOT is_control) AS n1, count(*) FILTER (WHERE NOT is_mixed AND is_control) AS n2,
           count(*) FILTER (WHERE is_mixed) AS mixed,
           sum(share) FILTER (WHERE NOT is_mixed) AS expected, sum(share * (1 - share)) FILTER (WHERE NOT is_mixed) AS variance
    FROM people
    GROUP BY holdout, days, assigned_month
), drawn AS MATERIALIZED (
    SELECT DISTINCT profile_id FROM people
), converted AS MATERIALIZED (
    SELECT profile_id, c.goal_id, c.currency, c.converted_at
    FROM drawn
    JOIN tutti.fct_conversions AS c USING (profile_id)
    WHERE c.is_counted
), credited AS MATERIALIZED (
    SELECT profile_id, a.goal_id, a.currency, a.converted_at, a.touchpoint_id, a.touched_at, a.attributed_revenue
    FROM drawn
    JOIN tutti.fct_attributions AS a USING (profile_id)
    WHERE a.model = (SELECT stored_model FROM tutti_meta.active) AND a.attributed_revenue <> 0
), outcomes AS MATERIALIZED (
    SELECT o.holdout, o.days, o.assigned_month, o.profile_id, o.is_control, o.goal_id, o.currency,
           bool_or(o.is_converter) AS is_converter, sum(o.revenue) AS revenue, sum(o.own) AS own
    FROM (
        SELECT p.holdout, p.days, p.assigned_month, p.profile_id, p.is_control, c.goal_id, c.currency, true AS is_converter, 0::numeric AS revenue,
               0::numeric AS own
        FROM people AS p
        JOIN converted AS c ON c.profile_id = p.profile_id AND c.converted_at > p.assigned_at AND c.converted_at <= p.until_at
        WHERE NOT p.is_mixed
        UNION ALL
        SELECT p.holdout, p.days, p.assigned_month, p.profile_id, p.is_control, c.goal_id, c.currency, false, c.attributed_revenue,
               CASE WHEN NOT p.is_control AND c.touched_at > p.assigned_at AND c.touched_at <= p.until_at AND EXISTS (
                   SELECT
                   FROM tutti_meta.active_holdouts AS h
                   JOIN journey.anchors AS a ON a.profile_id = p.profile_id
                   JOIN journey.facts AS f ON (f.anchor, f.occurred_at, f.event_id) = (a.anchor, c.touched_at, c.touchpoint_id)
                   JOIN active.shapes AS s USING (shape)
                   LEFT JOIN suppression.decisions AS d ON d.request_id = tutti_meta.uuid_or_null(f.decision_id)
                   WHERE h.holdout = p.holdout AND s.shown_direction = 'outbound'
                       AND (h.channels IS NULL OR tutti_meta.channel_name(coalesce(d.channel, s.channel)) = ANY (h.channels))
                       AND (h.classes IS NULL OR coalesce(d.class, s.contact_class) = ANY (h.classes))
                       AND (h.tags IS NULL OR string_to_array(d.tags, E'\n') && h.tags)
                       AND (h.campaigns IS NULL OR s.campaign_id = ANY (h.campaigns))
               ) THEN c.attributed_revenue ELSE 0 END
        FROM people AS p
        JOIN credited AS c ON c.profile_id = p.profile_id AND c.converted_at > p.assigned_at AND c.converted_at <= p.until_at
        WHERE NOT p.is_mixed
    ) AS o
    GROUP BY o.holdout, o.days, o.assigned_month, o.profile_id, o.is_control, o.goal_id, o.currency
), sums AS (
    SELECT holdout, days, assigned_month, goal_id, currency,
           count(*) FILTER (WHERE is_converter AND NOT is_control) AS x1, count(*) FILTER (WHERE is_converter AND is_control) AS x2,
           coalesce(sum(revenue) FILTER (WHERE NOT is_control), 0) AS sum1, coalesce(sum(revenue) FILTER (WHERE is_control), 0) AS sum2,
           coalesce(sum(revenue * revenue) FILTER (WHERE NOT is_control), 0) AS squares1,
           coalesce(sum(revenue * revenue) FILTER (WHERE is_control), 0) AS squares2, sum(own) AS own
    FROM outcomes
    GROUP BY holdout, days, assigned_month, goal_id, currency
)
SELECT g.holdout AS holdout_id, nullif(g.assigned_month, '-infinity') AS assigned_month, a.goal_id, g.days AS horizon_days, s.currency,
       g.n1 AS treated_customers, g.n2 AS control_customers,
       coalesce(s.x1, 0) AS treated_converters, coalesce(s.x2, 0) AS control_converters,
       rate.difference AS rate_lift, rate.low AS rate_lift_low, rate.high AS rate_lift_high,
       coalesce(s.sum1, 0)::numeric(38, 6) AS treated_revenue, coalesce(s.sum2, 0)::numeric(38, 6) AS control_revenue,
       money.difference AS revenue_lift, money.low AS revenue_lift_low, money.high AS revenue_lift_high,
       (g.n1 * money.difference)::numeric(38, 6) AS incremental_revenue,
       (g.n1 * money.low)::numeric(38, 6) AS incremental_revenue_low, (g.n1 * money.high)::numeric(38, 6) AS incremental_revenue_high,
       CASE WHEN r.holdout IS NOT NULL THEN coalesce(s.own, 0)::numeric(38, 6) END AS credited_revenue,
       CASE WHEN r.holdout IS NOT NULL THEN s.own NOT BETWEEN g.n1 * money.low AND g.n1 * money.high END AS is_disagreeing,
       g.mixed AS mixed_profiles,
       coalesce(abs(g.n2 - g.expected) > 3.29 * sqrt(g.variance), false) AS is_split_suspect
FROM groups AS g
CROSS JOIN (SELECT goal_id FROM tutti_meta.active_goals WHERE is_credited) AS a
LEFT JOIN sums AS s USING (holdout, days, assigned_month, goal_id)
LEFT JOIN tutti_meta.active_holdouts AS r ON r.holdout = g.holdout
CROSS JOIN LATERAL tutti_meta.newcombe(coalesce(s.x1, 0), g.n1, coalesce(s.x2, 0), g.n2) AS rate
LEFT JOIN LATERAL tutti_meta.welch(g.n1, s.sum1, s.squares1, g.n2, s.sum2, s.squares2) AS money ON s.x1 >= 100 AND s.x2 >= 100;
COMMENT ON VIEW tutti.rpt_holdout_lift IS 'What the contacts of a holdout''s kind earn beyond what would have come anyway, beside what they are credited with. Key: holdout_id, assigned_month, goal_id, horizon_days, currency (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.holdout_id IS 'Id of the rule (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.assigned_month IS 'First day of the month in which the customers drew; null: all of them (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.goal_id IS 'Credited goal of the policies (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.horizon_days IS '7, 30 or 90: so many days after the draw are looked at (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.currency IS 'Currency of the conversions: never add up several; null where there is none (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.treated_customers IS 'Customers who drew treated and whose days are over (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.control_customers IS 'The same of control (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.treated_converters IS 'Treated customers with a conversion in this currency in these days (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.control_converters IS 'The same of control (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.rate_lift IS 'Share of converters among the treated less that of control; null where a group is empty (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.rate_lift_low IS 'Lower end of its 95 % interval, by Newcombe (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.rate_lift_high IS 'Upper end (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.treated_revenue IS 'Revenue of the treated in these days, less what was given back in them (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.control_revenue IS 'The same of control (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.revenue_lift IS 'Revenue for each treated customer less that for each of control; null unless each group has 100 converters (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.revenue_lift_low IS 'Lower end of its interval, by Welch; approximate (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.revenue_lift_high IS 'Upper end; approximate (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.incremental_revenue IS 'revenue_lift times treated_customers: what the contacts earned that would not have come anyway (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.incremental_revenue_low IS 'Lower end (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.incremental_revenue_high IS 'Upper end (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.credited_revenue IS 'What the stored model credits to such contacts of the treated in these days; null where no rule has this id any more (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.is_disagreeing IS 'credited_revenue is outside of the interval of incremental_revenue; null where there is no interval (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.mixed_profiles IS 'Customers left out: people of both groups were joined (chronicle).';
COMMENT ON COLUMN tutti.rpt_holdout_lift.is_split_suspect IS 'So many of control, or so few, are hardly by chance: do not trust the row (chronicle).';
GRANT SELECT ON tutti.rpt_holdout_lift TO tutti_reader;
