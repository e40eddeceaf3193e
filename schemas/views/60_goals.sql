-- Goals. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_shared_goals_daily AS
WITH goals AS MATERIALIZED (
    SELECT * FROM tutti_meta.goals
), counted AS MATERIALIZED (
    SELECT g.goal_id, g.is_credited, c.period, c.d1 AS department, c.d2 AS channel, c.d3 AS currency,
           CASE WHEN g.metric = 'count' THEN c.v0 * 1000000 ELSE c.v1 END AS micros, c.updated_at
    FROM metrics.sums AS c
    JOIN goals AS g ON g.goal = c.d0
    WHERE c.family = 1 AND c.v0 <> 0
), parts AS MATERIALIZED (
    SELECT goal_id, is_credited, period, currency, department, channel, micros AS own, 0::numeric AS assisted, updated_at
    FROM counted
    WHERE NOT is_credited
    UNION ALL
    SELECT g.goal_id, true, c.period, c.d7, c.d3, c.d2, sum(c.v1) FILTER (WHERE c.d3 = c.d6), sum(c.v1) FILTER (WHERE c.d3 <> c.d6),
           max(c.updated_at)
    FROM metrics.sums AS c
    JOIN goals AS g ON g.goal = c.d0
    WHERE c.family = 3 AND c.d1 = (SELECT stored_model FROM tutti_meta.active) AND c.d2 <> 0 AND c.v1 <> 0 AND g.is_credited AND g.status IS NULL
    GROUP BY g.goal_id, c.period, c.d7, c.d3, c.d2
), totals AS MATERIALIZED (
    SELECT goal_id, is_credited, period, currency, sum(micros) AS micros, sum(own) AS own, sum(assisted) AS assisted,
           max(updated_at) AS updated_at
    FROM (
        SELECT goal_id, is_credited, period, currency, micros, 0::numeric AS own, 0::numeric AS assisted, updated_at FROM counted
        UNION ALL
        SELECT goal_id, is_credited, period, currency, 0, coalesce(own, 0), coalesce(assisted, 0), updated_at FROM parts
    ) AS both_sides
    GROUP BY goal_id, is_credited, period, currency
), customers AS MATERIALIZED (
    SELECT g.goal_id, c.period, c.v0::bigint AS customers
    FROM metrics.sums AS c
    JOIN goals AS g ON g.goal = c.d0
    WHERE c.family = 2
), statuses AS (
    SELECT g.goal_id, g.metric, c.period, c.updated_at, c.v1 AS entries,
           sum(c.v0) OVER (PARTITION BY g.goal_id ORDER BY c.period) AS stock
    FROM metrics.sums AS c
    JOIN goals AS g ON g.status = c.d0
    WHERE c.family = 5 AND CASE g.metric WHEN 'stock' THEN c.v0 ELSE c.v1 END <> 0
), shown AS (
    SELECT t.goal_id, t.period, '(all)' AS department, '(all)' AS channel, t.currency, t.micros, t.own, t.assisted,
           coalesce(k.customers, 0) AS customers, t.updated_at
    FROM totals AS t
    LEFT JOIN customers AS k USING (goal_id, period)
    WHERE t.micros <> 0 OR k.customers <> 0
    UNION ALL
    SELECT goal_id, period, '(unattributed)', '(unattributed)', currency, micros - own - assisted, 0, 0, NULL, updated_at
    FROM totals
    WHERE is_credited AND micros <> own + assisted
    UNION ALL
    SELECT p.goal_id, p.period, coalesce(department.value, '(none)'), coalesce(channel.value, '(none)'), p.currency,
           coalesce(p.own, 0) + coalesce(p.assisted, 0), coalesce(p.own, 0), coalesce(p.assisted, 0), NULL, p.updated_at
    FROM parts AS p
    LEFT JOIN journey.dictionary AS department ON department.code = p.department
    LEFT JOIN journey.dictionary AS channel ON channel.code = p.channel
    WHERE coalesce(p.own, 0) + coalesce(p.assisted, 0) <> 0
    UNION ALL
    SELECT goal_id, period, '(all)', '(all)', 0, 1000000 * CASE metric WHEN 'stock' THEN stock ELSE entries END, 0, 0, NULL, updated_at
    FROM statuses
)
SELECT s.period AS goal_date, s.goal_id, g.parent_goal_id, g.ladder_level::smallint AS ladder_level, '(all)'::text AS segment_id,
       s.department, s.channel, g.metric, g.unit, currency.value AS currency,
       (s.micros * 0.000001)::numeric(20, 6) AS value,
       (s.own * 0.000001)::numeric(20, 6) AS own_value,
       (s.assisted * 0.000001)::numeric(20, 6) AS assisted_value,
       s.customers, g.target,
       CASE WHEN s.updated_at >= (s.period + 1)::timestamp AT TIME ZONE (SELECT zone FROM tutti_meta.active) THEN s.updated_at END
           AS last_corrected_at
FROM shown AS s
JOIN goals AS g USING (goal_id)
LEFT JOIN journey.dictionary AS currency ON currency.code = s.currency
WHERE s.period <= (SELECT today FROM tutti_meta.active);
COMMENT ON VIEW tutti.rpt_shared_goals_daily IS 'Goals by day; own + assisted + unattributed = total of a credited goal (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.goal_date IS 'Day in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.goal_id IS 'Goal of the policies (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.parent_goal_id IS 'Goal that it ladders up to (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.ladder_level IS 'Steps up to the top goal, which is 0 (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.segment_id IS 'Segment; (all) = everybody (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.department IS 'Department; (all) = total, (unattributed) = the rest of a credited goal, (none) = absent (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.channel IS 'Channel; (all) = total, (unattributed) = the rest of a credited goal (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.metric IS 'count, value, margin_else_value, stock or entries (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.unit IS 'Unit of the value (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.currency IS 'ISO 4217 code; null for counts and customers (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.value IS 'What the goal measures that day; of a stock, at the end of the day (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.own_value IS 'Part by the department''s own touches (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.assisted_value IS 'Part by touches of other departments than the one that converted (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.customers IS 'Distinct customers with a touch that counts, that day: not additive (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.target IS 'Target of the policies (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.last_corrected_at IS 'Last change after the day was over (chronicle).';
GRANT SELECT ON tutti.rpt_shared_goals_daily TO tutti_reader;
