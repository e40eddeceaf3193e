-- as_of: 2026-04-01T00:00:00Z
-- which mail was answered
SELECT s.message_id AS send, t.message_id AS answer, r.channel, r.campaign_id, r.seconds_to_response
FROM tutti.fct_responses AS r
JOIN tutti.fct_touchpoints AS s ON s.touchpoint_id = r.send_id
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = r.response_id
ORDER BY r.responded_at;
-- how often, and when
SELECT local_hour, local_weekday, device_type, network, sends, responses, response_seconds_sum, answers
FROM tutti.rpt_responses
WHERE segment_id = '(all)' AND channel = 'email' AND department = 'marketing'
ORDER BY local_weekday, local_hour;
-- what follows a step of the map
SELECT m.to_kind, m.transitions, m.conversions_after_7d, m.score_sum, m.score_count, v.revenue_after_7d, v.touch_cost
FROM tutti.rpt_journey_map AS m
LEFT JOIN tutti.rpt_journey_map_value AS v USING (period_start_date, segment_id, stage, from_kind, to_kind, from_department, to_department)
WHERE m.segment_id = '(all)' AND m.from_kind <> '(start)'
ORDER BY m.from_kind, m.to_kind;
-- what they prefer
SELECT trait, value, source, observed_at FROM tutti.dim_profile_traits ORDER BY trait;
-- the customers
SELECT stage, loyalty_tier, preferred_channel, local_timezone FROM tutti.dim_profiles ORDER BY stage;
