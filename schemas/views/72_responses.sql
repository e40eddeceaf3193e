-- Responses: when, where and on what customers answer. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.fct_responses AS
SELECT r.send_id, r.event_id AS response_id, a.profile_id, r.sent_at, r.occurred_at AS responded_at, s.channel, s.campaign_id,
       extract(epoch FROM r.occurred_at - r.sent_at)::numeric(20, 6) AS seconds_to_response,
       r.loaded_at
FROM active.responses AS r
JOIN journey.anchors AS a USING (anchor)
JOIN journey.shapes AS s ON s.shape = r.send_shape;
COMMENT ON VIEW tutti.fct_responses IS 'Sends that were answered, with their answers. Key: response_id, responded_at, profile_id (convergent).';
COMMENT ON COLUMN tutti.fct_responses.send_id IS 'The touchpoint that was sent (convergent).';
COMMENT ON COLUMN tutti.fct_responses.response_id IS 'The touchpoint that answers it (convergent).';
COMMENT ON COLUMN tutti.fct_responses.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.fct_responses.sent_at IS 'When it was sent (convergent).';
COMMENT ON COLUMN tutti.fct_responses.responded_at IS 'When it was answered (convergent).';
COMMENT ON COLUMN tutti.fct_responses.channel IS 'Channel of the send (convergent).';
COMMENT ON COLUMN tutti.fct_responses.campaign_id IS 'Campaign of the send (convergent).';
COMMENT ON COLUMN tutti.fct_responses.seconds_to_response IS 'Time between the two (convergent).';
COMMENT ON COLUMN tutti.fct_responses.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_responses TO tutti_reader;

CREATE VIEW tutti.rpt_responses AS
SELECT month AS period_start_date, coalesce(segment_id, '(all)') AS segment_id, channel,
       coalesce(department, '(none)') AS department,
       local_hour, local_weekday,
       coalesce(device_type, '(none)') AS device_type,
       coalesce(network, '(none)') AS network,
       sends::bigint AS sends,
       responses::bigint AS responses,
       (wait_ms * 0.001)::numeric(20, 6) AS response_seconds_sum,
       answers::bigint AS answers
FROM metrics.responses
WHERE month <= (SELECT today FROM tutti_meta.active) AND (sends <> 0 OR responses <> 0 OR wait_ms <> 0 OR answers <> 0);
COMMENT ON VIEW tutti.rpt_responses IS 'How often what was sent is answered, by hour, day of the week, device and network: add up rows of one segment_id only (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.period_start_date IS 'First day of the month of the send; for answers, of the answer (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.segment_id IS '(all) = everybody, or a segment that the customer was in before the send; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.channel IS 'Channel of the send (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.department IS 'Department of the send, or (none) (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.local_hour IS 'Hour of the send, 0 to 23, in the zone of the person; for answers, of the answer (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.local_weekday IS 'Day of the week in the same way, 0 = Sunday (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.device_type IS 'Device on which the customer was met last before the send, or (none); for answers, that of the answer (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.network IS 'Network in the same way (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.sends IS 'Number of sends in this context (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.responses IS 'Of these, the number that were answered: over sends it is a rate (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.response_seconds_sum IS 'Time until these answers, summed up (convergent).';
COMMENT ON COLUMN tutti.rpt_responses.answers IS 'Number of answers that came in this context, whenever their send was: never over sends (convergent).';
GRANT SELECT ON tutti.rpt_responses TO tutti_reader;
