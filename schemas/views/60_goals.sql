-- Goals. What every column means exactly stands in docs/figures.md.

-- What the goals counted, and in the same way what came too late for a period: `kinds` is 0, or the kinds of period that had ended (1 << the
-- code of tutti_meta.period_name).
CREATE VIEW metrics.goal_parts AS
WITH goals AS MATERIALIZED (
    SELECT * FROM tutti_meta.active_goals
), told AS (
    SELECT 0::smallint AS kinds, goal, day, segment_id, department, channel, currency, touches, returned, value_micros, NULL::timestamptz AS corrected_at
    FROM metrics.goals
    UNION ALL
    SELECT kinds, goal, day, segment_id, department, channel, currency, touches, returned, value_micros, updated_at FROM metrics.late_goals
), credited AS (
    SELECT 0::smallint AS kinds, goal, model, day, segment_id, currency, touch_department, touch_channel, conversion_department, is_left_out, revenue_micros,
           NULL::timestamptz AS corrected_at
    FROM metrics.credits
    UNION ALL
    SELECT kinds, goal, model, day, segment_id, currency, touch_department, touch_channel, conversion_department, is_left_out, revenue_micros, updated_at
    FROM metrics.late_credits
), counted AS MATERIALIZED (
    SELECT c.kinds, g.goal_id, g.is_credited, c.day, coalesce(c.segment_id, '(all)') AS segment_id, c.department, c.channel, c.currency,
           CASE WHEN g.metric = 'count' THEN (c.touches - c.returned) * 1000000 ELSE c.value_micros END AS micros, c.corrected_at
    FROM told AS c
    JOIN goals AS g ON g.goal_id = c.goal
    WHERE c.touches <> 0 OR c.returned <> 0 OR c.value_micros <> 0
), unidentified AS MATERIALIZED (
    SELECT kinds, goal_id, is_credited, day, segment_id, currency, micros, corrected_at FROM counted WHERE channel = '(unidentified)'
), parts AS MATERIALIZED (
    SELECT kinds, goal_id, is_credited, day, segment_id, currency, department, channel, micros AS own, 0::numeric AS assisted, corrected_at
    FROM counted
    WHERE NOT is_credited AND channel <> '(unidentified)'
    UNION ALL
    SELECT c.kinds, g.goal_id, true, c.day, coalesce(c.segment_id, '(all)'), c.currency, c.touch_department, c.touch_channel,
           coalesce(sum(c.revenue_micros) FILTER (WHERE c.touch_department IS NOT DISTINCT FROM c.conversion_department), 0),
           coalesce(sum(c.revenue_micros) FILTER (WHERE c.touch_department IS DISTINCT FROM c.conversion_department), 0),
           max(c.corrected_at)
    FROM credited AS c
    JOIN goals AS g ON g.goal_id = c.goal
    WHERE c.model = (SELECT stored_model FROM tutti_meta.active) AND c.touch_channel <> '(unidentified)' AND NOT c.is_left_out
        AND c.revenue_micros <> 0 AND g.is_credited AND g.status IS NULL
    GROUP BY c.kinds, g.goal_id, c.day, c.segment_id, c.currency, c.touch_department, c.touch_channel
), totals AS MATERIALIZED (
    SELECT kinds, goal_id, is_credited, day, segment_id, currency, sum(micros) AS micros, sum(own) AS own, sum(assisted) AS assisted,
           sum(unidentified) AS unidentified, max(corrected_at) AS corrected_at
    FROM (
        SELECT kinds, goal_id, is_credited, day, segment_id, currency, micros, 0::numeric AS own, 0::numeric AS assisted, 0::numeric AS unidentified,
               corrected_at
        FROM counted
        UNION ALL
        SELECT kinds, goal_id, is_credited, day, segment_id, currency, 0, own, assisted, 0, corrected_at FROM parts
        UNION ALL
        SELECT kinds, goal_id, is_credited, day, segment_id, currency, 0, 0, 0, micros, corrected_at FROM unidentified
    ) AS all_sides
    GROUP BY kinds, goal_id, is_credited, day, segment_id, currency
), customers AS MATERIALIZED (
    SELECT 0 AS kinds, goal AS goal_id, day, coalesce(segment_id, '(all)') AS segment_id, customers::bigint AS customers
    FROM metrics.goal_customers
    WHERE period_kind = 'day'
), changes AS (
    SELECT g.goal_id, g.metric, c.day, c.change, c.entries
    FROM metrics.statuses AS c
    JOIN goals AS g ON g.status = c.status AND c.goal IS NOT DISTINCT FROM CASE WHEN g.from_stage IS NOT NULL OR g.asks_identified THEN g.goal_id END
    UNION ALL
    SELECT g.goal_id, g.metric, c.day, c.change, c.entries
    FROM metrics.segments AS c
    JOIN goals AS g USING (segment_id)
), stocks AS (
    SELECT goal_id, metric, day, entries, sum(change) OVER (PARTITION BY goal_id ORDER BY day) AS stock
    FROM changes
    WHERE CASE metric WHEN 'stock' THEN change ELSE entries END <> 0
)
SELECT t.kinds, t.goal_id, t.day, t.segment_id, '(all)'::text AS department, '(all)'::text AS channel, t.currency, t.micros, t.own, t.assisted,
       coalesce(k.customers, 0) AS customers, t.corrected_at
FROM totals AS t
LEFT JOIN customers AS k USING (kinds, goal_id, day, segment_id)
WHERE t.micros <> 0 OR k.customers <> 0
UNION ALL
SELECT kinds, goal_id, day, segment_id, '(unattributed)', '(unattributed)', currency, micros - own - assisted - unidentified, 0, 0, NULL, corrected_at
FROM totals
WHERE is_credited AND micros <> own + assisted + unidentified
UNION ALL
SELECT kinds, goal_id, day, segment_id, '(unidentified)', '(unidentified)', currency, micros, 0, 0, NULL, corrected_at
FROM unidentified
WHERE micros <> 0
UNION ALL
SELECT kinds, goal_id, day, segment_id, coalesce(department, '(none)'), coalesce(channel, '(none)'), currency, own + assisted, own, assisted, NULL,
       corrected_at
FROM parts
WHERE own + assisted <> 0
UNION ALL
SELECT 0, goal_id, day, '(all)', '(all)', '(all)', NULL, 1000000 * CASE metric WHEN 'stock' THEN stock ELSE entries END, 0, 0, NULL, NULL
FROM stocks;
COMMENT ON VIEW metrics.goal_parts IS 'What goals counted by day, as totals and parts (kinds 0, convergent), and what of it came too late for a period (chronicle).';
COMMENT ON COLUMN metrics.goal_parts.kinds IS '0: all that was counted; else bits of the kinds of period that had ended more than 24 hours before.';
COMMENT ON COLUMN metrics.goal_parts.goal_id IS 'Goal of the policies.';
COMMENT ON COLUMN metrics.goal_parts.day IS 'Day in the reporting zone.';
COMMENT ON COLUMN metrics.goal_parts.segment_id IS '(all), or a segment.';
COMMENT ON COLUMN metrics.goal_parts.department IS 'Department; (all) = total.';
COMMENT ON COLUMN metrics.goal_parts.channel IS 'Channel; (all) = total.';
COMMENT ON COLUMN metrics.goal_parts.currency IS 'ISO 4217 code; null for counts and customers.';
COMMENT ON COLUMN metrics.goal_parts.micros IS 'Value in millionths.';
COMMENT ON COLUMN metrics.goal_parts.own IS 'Part by the department''s own touches, in millionths.';
COMMENT ON COLUMN metrics.goal_parts.assisted IS 'Part by touches of other departments, in millionths.';
COMMENT ON COLUMN metrics.goal_parts.customers IS 'Distinct customers of the day, in totals.';
COMMENT ON COLUMN metrics.goal_parts.corrected_at IS 'Last time that something came too late; null where kinds is 0.';

CREATE VIEW tutti.rpt_shared_goals_daily AS
SELECT s.day AS goal_date, s.goal_id, g.parent_goal_id, g.ladder_level, s.segment_id,
       s.department, s.channel, g.metric, g.unit, s.currency,
       (sum(s.micros) FILTER (WHERE s.kinds = 0) * 0.000001)::numeric(38, 6) AS value,
       (sum(s.own) FILTER (WHERE s.kinds = 0) * 0.000001)::numeric(38, 6) AS own_value,
       (sum(s.assisted) FILTER (WHERE s.kinds = 0) * 0.000001)::numeric(38, 6) AS assisted_value,
       max(s.customers) FILTER (WHERE s.kinds = 0) AS customers,
       CASE WHEN g.metric NOT IN ('stock', 'entries')
            THEN (coalesce(sum(s.micros) FILTER (WHERE s.kinds > 0), 0) * 0.000001)::numeric(38, 6) END AS corrected_value,
       max(s.corrected_at) AS last_corrected_at
FROM metrics.goal_parts AS s
JOIN tutti_meta.active_goals AS g USING (goal_id)
WHERE s.day <= (SELECT today FROM tutti_meta.active)
GROUP BY s.day, s.goal_id, g.parent_goal_id, g.ladder_level, s.segment_id, s.department, s.channel, g.metric, g.unit, s.currency
HAVING bool_or(s.kinds = 0);
COMMENT ON VIEW tutti.rpt_shared_goals_daily IS 'Goals by day; own + assisted + unattributed = total of a credited goal, in each segment_id: add up rows of one only (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.goal_date IS 'Day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.goal_id IS 'Goal of the policies (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.parent_goal_id IS 'Goal that it ladders up to (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.ladder_level IS 'Steps up to the top goal, which is 0 (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.segment_id IS '(all) = everybody, or a segment that the customer was in before the touch; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.department IS 'Department; (all) = total, (unattributed) = the rest of a credited goal, (none) = absent (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.channel IS 'Channel; (all) = total, (unattributed) = the rest of a credited goal (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.metric IS 'count, value, margin_else_value, stock or entries (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.unit IS 'Unit of the value (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.currency IS 'ISO 4217 code; null for counts and customers (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.value IS 'What the goal measures that day; of a stock, at the end of the day (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.own_value IS 'Part by the department''s own touches (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.assisted_value IS 'Part by touches of other departments than the one that converted (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.customers IS 'Distinct customers with a touch that counts, that day: not additive (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.corrected_value IS 'What of the value came more than 24 hours after the day was over; null for stock and entries (chronicle).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.last_corrected_at IS 'When such a change came last (chronicle).';
GRANT SELECT ON tutti.rpt_shared_goals_daily TO tutti_reader;

CREATE VIEW tutti.dim_goal_targets AS
SELECT t.goal_id, t.department, t.period_kind, t.from_date, t.currency, t.target
FROM tutti_meta.goal_targets AS t
JOIN tutti_meta.active_goals AS g USING (goal_id);
COMMENT ON VIEW tutti.dim_goal_targets IS 'Targets of the goals. Key: goal_id, department, period_kind, from_date, currency (chronicle).';
COMMENT ON COLUMN tutti.dim_goal_targets.goal_id IS 'Goal of the active policies (chronicle).';
COMMENT ON COLUMN tutti.dim_goal_targets.department IS 'Department; (all) = total (chronicle).';
COMMENT ON COLUMN tutti.dim_goal_targets.period_kind IS 'day, week, month or quarter (chronicle).';
COMMENT ON COLUMN tutti.dim_goal_targets.from_date IS 'Counts for periods that begin on this day or later, until the next from_date (chronicle).';
COMMENT ON COLUMN tutti.dim_goal_targets.currency IS 'ISO 4217 code; null for a goal that is no amount of money (chronicle).';
COMMENT ON COLUMN tutti.dim_goal_targets.target IS 'What each such period is to reach (chronicle).';
GRANT SELECT ON tutti.dim_goal_targets TO tutti_reader;

CREATE VIEW tutti.rpt_shared_goals AS
WITH days AS MATERIALIZED (
    SELECT kinds, day, goal_id, segment_id, department, currency,
           sum(micros) AS micros, sum(own) AS own, sum(assisted) AS assisted, max(corrected_at) AS corrected_at
    FROM metrics.goal_parts
    WHERE day <= (SELECT today FROM tutti_meta.active)
    GROUP BY kinds, day, goal_id, segment_id, department, currency
), kinds AS (
    SELECT code, tutti_meta.period_name(code) AS period_kind FROM generate_series(1, 4) AS code
), periods AS (
    SELECT k.period_kind, date_trunc(k.period_kind, d.day::timestamp)::date AS period_start_date,
           g.goal_id, g.parent_goal_id, g.ladder_level, d.segment_id, d.department, g.metric, g.unit, d.currency,
           CASE WHEN g.metric = 'stock' THEN (array_agg(d.micros ORDER BY d.day DESC) FILTER (WHERE d.kinds = 0))[1]
                ELSE sum(d.micros) FILTER (WHERE d.kinds = 0) END AS micros,
           sum(d.own) FILTER (WHERE d.kinds = 0) AS own, sum(d.assisted) FILTER (WHERE d.kinds = 0) AS assisted,
           CASE WHEN g.metric NOT IN ('stock', 'entries') THEN coalesce(sum(d.micros) FILTER (WHERE d.kinds > 0), 0) END AS corrected,
           max(d.corrected_at) AS corrected_at
    FROM days AS d
    JOIN tutti_meta.active_goals AS g USING (goal_id)
    JOIN kinds AS k ON d.kinds = 0 OR d.kinds >> k.code & 1 = 1
    GROUP BY k.period_kind, date_trunc(k.period_kind, d.day::timestamp), g.goal_id, g.parent_goal_id, g.ladder_level, d.segment_id, d.department,
             g.metric, g.unit, d.currency
    HAVING bool_or(d.kinds = 0)
), targets AS MATERIALIZED (
    SELECT goal_id, department, period_kind, currency, target, from_date,
           lead(from_date) OVER (PARTITION BY goal_id, department, period_kind, currency ORDER BY from_date) AS to_date
    FROM tutti.dim_goal_targets
), customers AS MATERIALIZED (
    SELECT goal AS goal_id, period_kind, date_trunc(period_kind, day::timestamp)::date AS period_start_date, coalesce(segment_id, '(all)') AS segment_id,
           sum(customers)::bigint AS customers
    FROM metrics.goal_customers
    WHERE day <= (SELECT today FROM tutti_meta.active)
    GROUP BY goal, period_kind, date_trunc(period_kind, day::timestamp), segment_id
), counting AS (
    SELECT goal_id, period_kind
    FROM tutti_meta.active_goals
    CROSS JOIN string_to_table('day ' || coalesce(windows, ''), ' ') AS period_kind
    WHERE metric NOT IN ('stock', 'entries')
)
SELECT p.period_kind, p.period_start_date, p.goal_id, p.parent_goal_id, p.ladder_level, p.segment_id, p.department, p.metric, p.unit, p.currency,
       (p.micros * 0.000001)::numeric(38, 6) AS value, (p.own * 0.000001)::numeric(38, 6) AS own_value,
       (p.assisted * 0.000001)::numeric(38, 6) AS assisted_value,
       CASE WHEN p.department = '(all)' AND c.goal_id IS NOT NULL THEN coalesce(k.customers, 0) END AS customers, t.target,
       (p.corrected * 0.000001)::numeric(38, 6) AS corrected_value, p.corrected_at AS last_corrected_at
FROM periods AS p
LEFT JOIN counting AS c ON c.goal_id = p.goal_id AND c.period_kind = p.period_kind
LEFT JOIN customers AS k
    ON k.goal_id = p.goal_id AND k.period_kind = p.period_kind AND k.period_start_date = p.period_start_date AND k.segment_id = p.segment_id
LEFT JOIN targets AS t
    ON t.goal_id = p.goal_id AND t.department = p.department AND t.period_kind = p.period_kind
    AND coalesce(t.currency, '') = coalesce(p.currency, '') AND p.segment_id = '(all)'
    AND t.from_date <= p.period_start_date AND (t.to_date IS NULL OR p.period_start_date < t.to_date);
COMMENT ON VIEW tutti.rpt_shared_goals IS 'Goals by day, week, month and quarter, with customers and targets. Key: period_kind, period_start_date, goal_id, segment_id, department, currency (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.period_kind IS 'day, week, month or quarter: add up rows of one only (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.period_start_date IS 'First day of the period in the reporting zone; weeks begin on Monday (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.goal_id IS 'Goal of the policies (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.parent_goal_id IS 'Goal that it ladders up to (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.ladder_level IS 'Steps up to the top goal, which is 0 (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.segment_id IS '(all) = everybody, or a segment that the customer was in before the touch; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.department IS 'Department over all its channels; (all) = total, (unattributed) = the rest of a credited goal, (none) = absent (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.metric IS 'count, value, margin_else_value, stock or entries (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.unit IS 'Unit of the value (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.currency IS 'ISO 4217 code; null for counts and customers (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.value IS 'Sum of the days; of a stock, at the end of the last day with a change (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.own_value IS 'Part by the department''s own touches (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.assisted_value IS 'Part by touches of other departments than the one that converted (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.customers IS 'Distinct customers with a touch that counts in the period, not additive; null for parts, for goals without touches, and for periods that the goal does not list as windows (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals.target IS 'Target of goal, department and period in this currency; null without one, and for segments (chronicle).';
COMMENT ON COLUMN tutti.rpt_shared_goals.corrected_value IS 'What of the value came more than 24 hours after the period was over; null for stock and entries (chronicle).';
COMMENT ON COLUMN tutti.rpt_shared_goals.last_corrected_at IS 'When such a change came last (chronicle).';
GRANT SELECT ON tutti.rpt_shared_goals TO tutti_reader;
