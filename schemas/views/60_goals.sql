-- Goals. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_shared_goals_daily AS
WITH goals AS MATERIALIZED (
    SELECT * FROM tutti_meta.active_goals
), counted AS MATERIALIZED (
    SELECT g.goal_id, g.is_credited, c.day, coalesce(c.segment_id, '(all)') AS segment_id, c.department, c.channel, c.currency,
           CASE WHEN g.metric = 'count' THEN (c.touches - c.returned) * 1000000 ELSE c.value_micros END AS micros, c.updated_at
    FROM metrics.goals AS c
    JOIN goals AS g ON g.goal_id = c.goal
    WHERE c.touches <> 0 OR c.returned <> 0 OR c.value_micros <> 0
), unidentified AS MATERIALIZED (
    SELECT goal_id, is_credited, day, segment_id, currency, micros, updated_at FROM counted WHERE channel = '(unidentified)'
), parts AS MATERIALIZED (
    SELECT goal_id, is_credited, day, segment_id, currency, department, channel, micros AS own, 0::numeric AS assisted, updated_at
    FROM counted
    WHERE NOT is_credited AND channel <> '(unidentified)'
    UNION ALL
    SELECT g.goal_id, true, c.day, coalesce(c.segment_id, '(all)'), c.currency, c.touch_department, c.touch_channel,
           sum(c.revenue_micros) FILTER (WHERE c.touch_department IS NOT DISTINCT FROM c.conversion_department),
           sum(c.revenue_micros) FILTER (WHERE c.touch_department IS DISTINCT FROM c.conversion_department),
           max(c.updated_at)
    FROM metrics.credits AS c
    JOIN goals AS g ON g.goal_id = c.goal
    WHERE c.model = (SELECT stored_model FROM tutti_meta.active) AND c.touch_channel <> '(unidentified)' AND NOT c.is_left_out
        AND c.revenue_micros <> 0 AND g.is_credited AND g.status IS NULL
    GROUP BY g.goal_id, c.day, c.segment_id, c.currency, c.touch_department, c.touch_channel
), totals AS MATERIALIZED (
    SELECT goal_id, is_credited, day, segment_id, currency, sum(micros) AS micros, sum(own) AS own, sum(assisted) AS assisted,
           sum(unidentified) AS unidentified, max(updated_at) AS updated_at
    FROM (
        SELECT goal_id, is_credited, day, segment_id, currency, micros, 0::numeric AS own, 0::numeric AS assisted, 0::numeric AS unidentified, updated_at FROM counted
        UNION ALL
        SELECT goal_id, is_credited, day, segment_id, currency, 0, coalesce(own, 0), coalesce(assisted, 0), 0, updated_at FROM parts
        UNION ALL
        SELECT goal_id, is_credited, day, segment_id, currency, 0, 0, 0, micros, updated_at FROM unidentified
    ) AS all_sides
    GROUP BY goal_id, is_credited, day, segment_id, currency
), customers AS MATERIALIZED (
    SELECT goal AS goal_id, day, coalesce(segment_id, '(all)') AS segment_id, customers::bigint AS customers
    FROM metrics.goal_customers
    WHERE period_kind = 'day'
), changes AS (
    SELECT g.goal_id, g.metric, c.day, c.change, c.entries, c.updated_at
    FROM metrics.statuses AS c
    JOIN goals AS g ON g.status = c.status AND c.goal IS NOT DISTINCT FROM CASE WHEN g.from_stage IS NOT NULL OR g.asks_identified THEN g.goal_id END
    UNION ALL
    SELECT g.goal_id, g.metric, c.day, c.change, c.entries, c.updated_at
    FROM metrics.segments AS c
    JOIN goals AS g USING (segment_id)
), stocks AS (
    SELECT goal_id, metric, day, updated_at, entries, sum(change) OVER (PARTITION BY goal_id ORDER BY day) AS stock
    FROM changes
    WHERE CASE metric WHEN 'stock' THEN change ELSE entries END <> 0
), shown AS (
    SELECT t.goal_id, t.day, t.segment_id, '(all)' AS department, '(all)' AS channel, t.currency, t.micros, t.own, t.assisted,
           coalesce(k.customers, 0) AS customers, t.updated_at
    FROM totals AS t
    LEFT JOIN customers AS k USING (goal_id, day, segment_id)
    WHERE t.micros <> 0 OR k.customers <> 0
    UNION ALL
    SELECT goal_id, day, segment_id, '(unattributed)', '(unattributed)', currency, micros - own - assisted - unidentified, 0, 0, NULL, updated_at
    FROM totals
    WHERE is_credited AND micros <> own + assisted + unidentified
    UNION ALL
    SELECT goal_id, day, segment_id, '(unidentified)', '(unidentified)', currency, micros, 0, 0, NULL, updated_at
    FROM unidentified
    WHERE micros <> 0
    UNION ALL
    SELECT goal_id, day, segment_id, coalesce(department, '(none)'), coalesce(channel, '(none)'), currency,
           coalesce(own, 0) + coalesce(assisted, 0), coalesce(own, 0), coalesce(assisted, 0), NULL, updated_at
    FROM parts
    WHERE coalesce(own, 0) + coalesce(assisted, 0) <> 0
    UNION ALL
    SELECT goal_id, day, '(all)', '(all)', '(all)', NULL, 1000000 * CASE metric WHEN 'stock' THEN stock ELSE entries END, 0, 0, NULL, updated_at
    FROM stocks
)
SELECT s.day AS goal_date, s.goal_id, g.parent_goal_id, g.ladder_level, s.segment_id,
       s.department, s.channel, g.metric, g.unit, s.currency,
       (s.micros * 0.000001)::numeric(38, 6) AS value,
       (s.own * 0.000001)::numeric(38, 6) AS own_value,
       (s.assisted * 0.000001)::numeric(38, 6) AS assisted_value,
       s.customers,
       CASE WHEN s.updated_at >= (s.day + 1)::timestamp AT TIME ZONE (SELECT zone FROM tutti_meta.active) THEN s.updated_at END
           AS last_corrected_at
FROM shown AS s
JOIN goals AS g USING (goal_id)
WHERE s.day <= (SELECT today FROM tutti_meta.active);
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
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.last_corrected_at IS 'Last change after the day was over (chronicle).';
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
    SELECT goal_date, goal_id, parent_goal_id, ladder_level, segment_id, department, metric, unit, currency,
           sum(value) AS value, sum(own_value) AS own_value, sum(assisted_value) AS assisted_value
    FROM tutti.rpt_shared_goals_daily
    GROUP BY goal_date, goal_id, parent_goal_id, ladder_level, segment_id, department, metric, unit, currency
), periods AS (
    SELECT k.period_kind, date_trunc(k.period_kind, d.goal_date::timestamp)::date AS period_start_date,
           goal_id, parent_goal_id, ladder_level, segment_id, department, metric, unit, currency,
           CASE WHEN metric = 'stock' THEN (array_agg(value ORDER BY goal_date DESC))[1] ELSE sum(value) END AS value,
           sum(own_value) AS own_value, sum(assisted_value) AS assisted_value
    FROM days AS d
    CROSS JOIN (VALUES ('day'), ('week'), ('month'), ('quarter')) AS k (period_kind)
    GROUP BY k.period_kind, date_trunc(k.period_kind, d.goal_date::timestamp), goal_id, parent_goal_id, ladder_level, segment_id, department,
             metric, unit, currency
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
SELECT p.period_kind, p.period_start_date, p.goal_id, p.parent_goal_id, p.ladder_level, p.segment_id, p.department, p.metric, p.unit,
       p.currency, p.value::numeric(38, 6) AS value, p.own_value::numeric(38, 6) AS own_value,
       p.assisted_value::numeric(38, 6) AS assisted_value,
       CASE WHEN p.department = '(all)' AND c.goal_id IS NOT NULL THEN coalesce(k.customers, 0) END AS customers, t.target
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
GRANT SELECT ON tutti.rpt_shared_goals TO tutti_reader;
