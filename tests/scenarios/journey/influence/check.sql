-- as_of: 2026-12-15T00:00:00Z
-- steps
SELECT period_start_date, from_node, to_node, steps, sends, revenue, currency
FROM tutti.rpt_path_steps
WHERE goal_id = 'contract' AND segment_id = '(all)' AND (from_node LIKE 'p_-%' OR to_node LIKE 'p_-%' OR to_node = '(conversion)');
-- influence
SELECT goal_id, period_start_date, node, steps_in, sends, removal_effect, influence, expected_loss, path_conversions, unprompted_conversions, p
FROM tutti.rpt_influence
WHERE segment_id = '(all)' AND (goal_id = 'first-chain' AND period_start_date = '2026-02-01' OR goal_id = 'loop' AND period_start_date = '2026-05-01'
    OR goal_id = 'unprompted' AND period_start_date = '2026-06-01');
