-- as_of: 2026-07-20T00:00:00Z
SELECT message_id, network, touch_kind FROM tutti.fct_touchpoints ORDER BY occurred_at;
SELECT from_kind, to_kind, sum(transitions) AS transitions FROM tutti.rpt_journey_map WHERE segment_id = '(all)' GROUP BY 1, 2 ORDER BY 1, 2;
