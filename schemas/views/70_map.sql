-- The journey map. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_journey_map AS
SELECT c.period AS period_start_date, '(all)'::text AS segment_id,
       coalesce(tutti_meta.stage_name(c.d0), '(none)') AS stage,
       coalesce(one.value, '(start)') AS from_kind,
       coalesce(two.value, '(exit)') AS to_kind,
       coalesce(one_department.value, '(none)') AS from_department,
       coalesce(two_department.value, '(none)') AS to_department,
       c.v0::bigint AS transitions,
       (c.v1 * 0.001)::numeric(20, 6) AS wait_seconds_sum,
       c.v2::bigint AS wait_le_1h, c.v3::bigint AS wait_le_1d, c.v4::bigint AS wait_le_7d, c.v5::bigint AS wait_le_30d,
       c.v6::bigint AS wait_over_30d
FROM metrics.sums AS c
LEFT JOIN journey.dictionary AS one ON one.code = c.d1
LEFT JOIN journey.dictionary AS two ON two.code = c.d2
LEFT JOIN journey.dictionary AS one_department ON one_department.code = c.d3
LEFT JOIN journey.dictionary AS two_department ON two_department.code = c.d4
WHERE c.family = 4 AND c.period <= (SELECT today FROM tutti_meta.active) AND (c.v0 <> 0 OR c.v1 <> 0);
COMMENT ON VIEW tutti.rpt_journey_map IS 'How customers move from touch to touch, by month (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.period_start_date IS 'First day of the month (convergent).';
COMMENT ON COLUMN tutti.rpt_journey_map.segment_id IS 'Segment; (all) = everybody (convergent).';
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
