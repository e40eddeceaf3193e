-- What staff gave away to make good for something. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.dim_gesture_limits AS
SELECT currency, (per_case_micros * 0.000001)::numeric(20, 6) AS per_case,
       (per_agent_month_micros * 0.000001)::numeric(20, 6) AS per_agent_month, approver
FROM journey.gesture_limits
WHERE generation = (SELECT generation FROM tutti_meta.active);
COMMENT ON VIEW tutti.dim_gesture_limits IS 'What staff may give away, by the active policies. Key: currency (chronicle).';
COMMENT ON COLUMN tutti.dim_gesture_limits.currency IS 'Currency of both limits (chronicle).';
COMMENT ON COLUMN tutti.dim_gesture_limits.per_case IS 'For one customer and case (chronicle).';
COMMENT ON COLUMN tutti.dim_gesture_limits.per_agent_month IS 'For one member of staff and month (chronicle).';
COMMENT ON COLUMN tutti.dim_gesture_limits.approver IS 'Who approves what is beyond them (chronicle).';
GRANT SELECT ON tutti.dim_gesture_limits TO tutti_reader;

CREATE VIEW journey.case_touches AS
SELECT a.profile_id, f.case_id, f.occurred_at, r.rank, f.event_id, f.anchor, s.opens_case, s.ends_case, f.agent_id,
       s.event = 'Gesture Approved' AS approves
FROM active.shapes AS s
JOIN journey.facts AS f ON f.shape = s.shape AND f.case_id IS NOT NULL
JOIN journey.anchors AS a USING (anchor)
CROSS JOIN LATERAL (SELECT tutti_meta.touch_rank(CASE WHEN s.is_touch THEN s.shown_direction END, s.is_goal_event, s.is_return_event) AS rank) AS r
WHERE s.opens_case OR s.ends_case OR s.event = 'Gesture Approved';
COMMENT ON VIEW journey.case_touches IS 'Touchpoints that open or end cases, and approvals of gestures (convergent).';
COMMENT ON COLUMN journey.case_touches.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.case_touches.case_id IS 'The case.';
COMMENT ON COLUMN journey.case_touches.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.case_touches.rank IS 'Place within its instant.';
COMMENT ON COLUMN journey.case_touches.event_id IS 'Id of the touchpoint.';
COMMENT ON COLUMN journey.case_touches.anchor IS 'Short key of its anchor.';
COMMENT ON COLUMN journey.case_touches.opens_case IS 'It opens the case.';
COMMENT ON COLUMN journey.case_touches.ends_case IS 'It ends the case.';
COMMENT ON COLUMN journey.case_touches.agent_id IS 'Member of staff.';
COMMENT ON COLUMN journey.case_touches.approves IS 'It approves gestures of the case.';

CREATE VIEW tutti.fct_gestures AS
WITH given AS (
    SELECT a.profile_id, f.anchor, f.occurred_at, f.event_id, r.rank, f.case_id, f.agent_id, f.content_id, f.cost_micros, f.loaded_at, s.department, s.currency,
           date_trunc('month', f.occurred_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS month
    FROM active.shapes AS s
    JOIN journey.facts AS f ON f.shape = s.shape AND f.cost_micros > 0
    JOIN journey.anchors AS a USING (anchor)
    CROSS JOIN LATERAL (SELECT tutti_meta.touch_rank(CASE WHEN s.is_touch THEN s.shown_direction END, s.is_goal_event, s.is_return_event) AS rank) AS r
    WHERE s.event = 'Gesture Given'
        AND NOT EXISTS (SELECT FROM active.repeats AS r WHERE (r.anchor, r.occurred_at, r.event_id) = (f.anchor, f.occurred_at, f.event_id))
), opened AS (
    SELECT DISTINCT ON (profile_id, case_id) profile_id, case_id, occurred_at, rank, event_id, anchor
    FROM journey.case_touches
    WHERE opens_case
    ORDER BY profile_id, case_id, occurred_at, rank, event_id, anchor
), ended AS (
    SELECT DISTINCT ON (c.profile_id, c.case_id) c.profile_id, c.case_id, c.occurred_at, c.rank, c.event_id, c.anchor
    FROM journey.case_touches AS c
    JOIN opened AS o ON o.profile_id = c.profile_id AND o.case_id = c.case_id
        AND (o.occurred_at, o.rank, o.event_id, o.anchor) < (c.occurred_at, c.rank, c.event_id, c.anchor)
    WHERE c.ends_case
    ORDER BY c.profile_id, c.case_id, c.occurred_at, c.rank, c.event_id, c.anchor
), summed AS (
    SELECT g.*, l.per_case_micros, l.per_agent_month_micros,
           sum(g.cost_micros) OVER (PARTITION BY g.profile_id, g.case_id, g.currency ORDER BY g.occurred_at, g.event_id, g.anchor) AS of_case,
           sum(g.cost_micros) OVER (PARTITION BY g.agent_id, g.month, g.currency ORDER BY g.occurred_at, g.event_id, g.anchor) AS of_agent
    FROM given AS g
    LEFT JOIN journey.gesture_limits AS l ON l.generation = (SELECT generation FROM tutti_meta.active) AND l.currency = g.currency
)
SELECT g.event_id AS gesture_id, g.profile_id, g.case_id, g.agent_id, g.department, g.occurred_at AS given_at, g.content_id AS kind,
       (g.cost_micros * 0.000001)::numeric(20, 6) AS cost, g.currency,
       coalesce((o.occurred_at, o.rank, o.event_id, o.anchor) < (g.occurred_at, g.rank, g.event_id, g.anchor)
                AND (e.case_id IS NULL OR (g.occurred_at, g.rank, g.event_id, g.anchor) < (e.occurred_at, e.rank, e.event_id, e.anchor)), false) AS has_open_case,
       coalesce(g.case_id IS NOT NULL AND g.of_case > g.per_case_micros, false) AS is_over_case_limit,
       coalesce(g.agent_id IS NOT NULL AND g.of_agent > g.per_agent_month_micros, false) AS is_over_agent_limit,
       EXISTS (SELECT FROM journey.case_touches AS c
               WHERE c.approves AND c.profile_id = g.profile_id AND c.case_id = g.case_id AND c.agent_id <> g.agent_id
                   AND (c.occurred_at, c.rank, c.event_id, c.anchor) < (g.occurred_at, g.rank, g.event_id, g.anchor)) AS is_approved,
       g.loaded_at
FROM summed AS g
LEFT JOIN opened AS o ON o.profile_id = g.profile_id AND o.case_id = g.case_id
LEFT JOIN ended AS e ON e.profile_id = g.profile_id AND e.case_id = g.case_id;
COMMENT ON VIEW tutti.fct_gestures IS 'What staff gave customers to make good for something, and whether it was within the limits. Key: gesture_id, profile_id, given_at (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.gesture_id IS 'Id of the touchpoint (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.case_id IS 'Case, as sent (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.agent_id IS 'Member of staff who gave it (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.department IS 'Unit that gave it (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.given_at IS 'When it was given (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.kind IS 'What was given: content_id of the touchpoint (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.cost IS 'What it cost, in currency (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.currency IS 'ISO 4217 code (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.has_open_case IS 'The case was open at that time (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.is_over_case_limit IS 'With it the gestures of the customer and case cost more than the limit (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.is_over_agent_limit IS 'With it the gestures of the member of staff cost more in the month than the limit (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.is_approved IS 'Another member of staff approved gestures of the case before (convergent).';
COMMENT ON COLUMN tutti.fct_gestures.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_gestures TO tutti_reader;

CREATE VIEW tutti.rpt_gesture_budgets AS
SELECT g.agent_id, g.period_start_date, g.currency,
       (l.per_agent_month_micros * 0.000001)::numeric(20, 6) AS limit_amount,
       g.spent,
       (l.per_agent_month_micros * 0.000001 - g.spent)::numeric(38, 6) AS remaining
FROM (
    SELECT agent_id, date_trunc('month', given_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS period_start_date, currency,
           sum(cost)::numeric(38, 6) AS spent
    FROM tutti.fct_gestures
    WHERE agent_id IS NOT NULL AND given_at <= tutti.as_of()
    GROUP BY 1, 2, 3
) AS g
LEFT JOIN journey.gesture_limits AS l ON l.generation = (SELECT generation FROM tutti_meta.active) AND l.currency = g.currency;
COMMENT ON VIEW tutti.rpt_gesture_budgets IS 'What each member of staff gave away in a month, beside the limit, up to tutti.as_of(). Key: agent_id, period_start_date, currency (convergent).';
COMMENT ON COLUMN tutti.rpt_gesture_budgets.agent_id IS 'Member of staff (convergent).';
COMMENT ON COLUMN tutti.rpt_gesture_budgets.period_start_date IS 'First day of the month in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.rpt_gesture_budgets.currency IS 'ISO 4217 code (convergent).';
COMMENT ON COLUMN tutti.rpt_gesture_budgets.limit_amount IS 'What may be given away in a month; null: there is no limit (convergent).';
COMMENT ON COLUMN tutti.rpt_gesture_budgets.spent IS 'What was given away (convergent).';
COMMENT ON COLUMN tutti.rpt_gesture_budgets.remaining IS 'What is left of the limit; below 0 where it was passed (convergent).';
GRANT SELECT ON tutti.rpt_gesture_budgets TO tutti_reader;
