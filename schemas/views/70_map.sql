-- The journey map. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_journey_map AS
SELECT month AS period_start_date, coalesce(segment_id, '(all)') AS segment_id,
       coalesce(stage, '(none)') AS stage,
       coalesce(from_kind, '(start)') AS from_kind,
       coalesce(to_kind, '(exit)') AS to_kind,
       coalesce(from_department, '(none)') AS from_department,
       coalesce(to_department, '(none)') AS to_department,
       steps::bigint AS transitions,
       (wait_ms * 0.001)::numeric(20, 6) AS wait_seconds_sum,
       wait_le_1h::bigint AS wait_le_1h, wait_le_1d::bigint AS wait_le_1d, wait_le_7d::bigint AS wait_le_7d,
       wait_le_30d::bigint AS wait_le_30d, wait_over_30d::bigint AS wait_over_30d
FROM metrics.steps
WHERE month <= (SELECT today FROM tutti_meta.active) AND (steps <> 0 OR wait_ms <> 0);
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
GRANT SELECT ON tutti.rpt_journey_map TO tutti_reader;
