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
    SELECT goal AS goal_id, day, coalesce(segment_id, '(all)') AS segment_id, customers::bigint AS customers FROM metrics.goal_customers
), statuses AS (
    SELECT g.goal_id, g.metric, c.day, c.updated_at, c.entries,
           sum(c.change) OVER (PARTITION BY g.goal_id ORDER BY c.day) AS stock
    FROM metrics.statuses AS c
    JOIN goals AS g ON g.status = c.status AND c.goal IS NOT DISTINCT FROM CASE WHEN g.from_stage IS NOT NULL OR g.asks_identified THEN g.goal_id END
    WHERE CASE g.metric WHEN 'stock' THEN c.change ELSE c.entries END <> 0
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
    FROM statuses
)
SELECT s.day AS goal_date, s.goal_id, g.parent_goal_id, g.ladder_level, s.segment_id,
       s.department, s.channel, g.metric, g.unit, s.currency,
       (s.micros * 0.000001)::numeric(38, 6) AS value,
       (s.own * 0.000001)::numeric(38, 6) AS own_value,
       (s.assisted * 0.000001)::numeric(38, 6) AS assisted_value,
       s.customers, NULL::numeric AS target,
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
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.target IS 'Target of the policies (convergent).';
COMMENT ON COLUMN tutti.rpt_shared_goals_daily.last_corrected_at IS 'Last change after the day was over (chronicle).';
GRANT SELECT ON tutti.rpt_shared_goals_daily TO tutti_reader;
