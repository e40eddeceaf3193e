-- The journey map. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_journey_map AS
SELECT month AS period_start_date, coalesce(segment_id, '(all)') AS segment_id,
       coalesce(stage, '(none)') AS stage,
       coalesce(from_kind, '(start)') AS from_kind,
       coalesce(to_kind, '(exit)') AS to_kind,
       coalesce(from_department, '(none)') AS from_department,
       coalesce(to_department, '(none)') AS to_department,
       sum(steps)::bigint AS transitions,
       (sum(wait_ms) * 0.001)::numeric(20, 6) AS wait_seconds_sum,
       sum(wait_le_1h)::bigint AS wait_le_1h, sum(wait_le_1d)::bigint AS wait_le_1d, sum(wait_le_7d)::bigint AS wait_le_7d,
       sum(wait_le_30d)::bigint AS wait_le_30d, sum(wait_over_30d)::bigint AS wait_over_30d,
       sum(conversions)::bigint AS conversions_after_7d, sum(score_sum)::bigint AS score_sum, sum(scores)::bigint AS score_count
FROM (
    SELECT month, stage, from_kind, to_kind, from_department, to_department, segment_id,
           steps, wait_ms, wait_le_1h, wait_le_1d, wait_le_7d, wait_le_30d, wait_over_30d, 0 AS conversions, 0 AS score_sum, 0 AS scores
    FROM metrics.steps
    UNION ALL
    SELECT month, stage, from_kind, to_kind, from_department, to_department, segment_id, 0, 0, 0, 0, 0, 0, 0, conversions, score_sum, scores
    FROM metrics.steps_after
) AS c
WHERE month <= (SELECT today FROM tutti_meta.active)
GROUP BY month, stage, from_kind, to_kind, from_department, to_department, segment_id
HAVING sum(steps) <> 0 OR sum(wait_ms) <> 0;
COMMENT ON VIEW tutti.rpt_journey_map IS 'How customers move from touch to touch, by month: add up rows of one segment_id only (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.period_start_date IS 'First day of the month (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.segment_id IS '(all) = everybody, or a segment that the customer was in before the touch; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.stage IS 'Stage before the step, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.from_kind IS 'Touch that the step comes from, (start) or (conversion) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.to_kind IS 'Touch that it leads to, (conversion) or (exit) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.from_department IS 'Department of the one, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.to_department IS 'Department of the other, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.transitions IS 'Number of steps (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.wait_seconds_sum IS 'Time between the two, summed up (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.wait_le_1h IS 'Steps of at most an hour (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.wait_le_1d IS 'Steps of at most a day, above an hour (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.wait_le_7d IS 'Steps of at most 7 days, above a day (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.wait_le_30d IS 'Steps of at most 30 days, above 7 days (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.wait_over_30d IS 'Steps of more than 30 days (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.conversions_after_7d IS 'Steps after whose touch a conversion came within 7 days: over transitions it is a rate; each conversion follows many touches, so never add up kinds (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.score_sum IS 'Sum of the first scores that came on later touches within 7 days (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.score_count IS 'Number of steps after which one came (convergent).';
GRANT SELECT ON tutti.rpt_journey_map TO tutti_reader;

CREATE VIEW tutti.rpt_journey_map_value AS
SELECT month AS period_start_date, coalesce(segment_id, '(all)') AS segment_id,
       coalesce(stage, '(none)') AS stage,
       coalesce(from_kind, '(start)') AS from_kind,
       coalesce(to_kind, '(exit)') AS to_kind,
       coalesce(from_department, '(none)') AS from_department,
       coalesce(to_department, '(none)') AS to_department,
       currency,
       (revenue_micros * 0.000001)::numeric(38, 6) AS revenue_after_7d,
       (cost_micros * 0.000001)::numeric(38, 6) AS touch_cost
FROM metrics.steps_money
WHERE month <= (SELECT today FROM tutti_meta.active) AND (revenue_micros <> 0 OR cost_micros <> 0);
COMMENT ON VIEW tutti.rpt_journey_map_value IS 'What the steps of rpt_journey_map cost, and what customers bought after them, by currency: add up rows of one segment_id only (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.period_start_date IS 'First day of the month (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.segment_id IS '(all) = everybody, or a segment that the customer was in before the touch; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.stage IS 'Stage before the step, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.from_kind IS 'Touch that the step comes from, (start) or (conversion) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.to_kind IS 'Touch that it leads to, or (conversion) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.from_department IS 'Department of the one, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.to_department IS 'Department of the other, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.currency IS 'Currency; null: amounts without one (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.revenue_after_7d IS 'Value of the first conversion within 7 days after each touch: one conversion follows many touches, so never add up kinds (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map_value.touch_cost IS 'Sum of the costs of the touches that the steps lead to: may be added up (convergent).';
GRANT SELECT ON tutti.rpt_journey_map_value TO tutti_reader;
