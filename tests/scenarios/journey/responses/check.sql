-- as_of: 2026-12-15T00:00:00Z
-- responses
SELECT s.message_id AS send, a.message_id AS answer, r.sent_at, r.responded_at, r.channel, r.campaign_id, r.seconds_to_response
FROM tutti.fct_responses AS r
JOIN tutti.fct_touchpoints AS s ON s.touchpoint_id = r.send_id
JOIN tutti.fct_touchpoints AS a ON a.touchpoint_id = r.response_id
WHERE s.source LIKE 'urn:r%';
-- by the moment of the send and of the answer
SELECT period_start_date, channel, local_hour, local_weekday, device_type, network, sends, responses, response_seconds_sum, answers
FROM tutti.rpt_responses
WHERE department = 'r1' AND segment_id = '(all)';
