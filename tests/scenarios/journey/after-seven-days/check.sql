-- as_of: 2026-12-15T00:00:00Z
-- what follows
SELECT to_department, from_kind, to_kind, transitions, conversions_after_7d, score_sum, score_count
FROM tutti.rpt_journey_map
WHERE segment_id = '(all)' AND to_department IN ('o1', 'o2', 'o3');
-- money that follows, and cost
SELECT to_department, from_kind, to_kind, currency, revenue_after_7d, touch_cost
FROM tutti.rpt_journey_map_value
WHERE segment_id = '(all)' AND to_department IN ('o1', 'o2', 'o3');
