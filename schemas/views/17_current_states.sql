-- States of the active policies, with what happens if nothing more comes: the deadlines after the last inbound touch.

CREATE VIEW journey.current_states AS
SELECT s.*,
       CASE WHEN s.status NOT IN (tutti_meta.status_code('at_risk'), tutti_meta.status_code('lapsed'))
           THEN s.last_inbound_at + (SELECT at_risk_after FROM tutti_meta.active) END AS at_risk_at,
       CASE WHEN s.status <> tutti_meta.status_code('lapsed') THEN s.last_inbound_at + (SELECT lapsed_after FROM tutti_meta.active) END AS lapsed_at,
       s.last_inbound_at + (SELECT journey_end FROM tutti_meta.active) AS exit_at
FROM journey.state_headers AS s
WHERE s.generation = (SELECT number FROM tutti_meta.active);
COMMENT ON VIEW journey.current_states IS 'States as columns, with what happens if nothing more comes (convergent).';
COMMENT ON COLUMN journey.current_states.profile IS 'Short key of the profile.';
COMMENT ON COLUMN journey.current_states.generation IS 'Number of the policy generation.';
COMMENT ON COLUMN journey.current_states.stage IS 'Stage after the last inbound touch, 0 = none.';
COMMENT ON COLUMN journey.current_states.status IS 'Status after it, 0 = none.';
COMMENT ON COLUMN journey.current_states.journey_number IS 'Number of the journey, 0 = none yet.';
COMMENT ON COLUMN journey.current_states.first_seen_at IS 'Time of the first touchpoint.';
COMMENT ON COLUMN journey.current_states.last_seen_at IS 'Time of the last touchpoint.';
COMMENT ON COLUMN journey.current_states.last_inbound_at IS 'Time of the last inbound touch.';
COMMENT ON COLUMN journey.current_states.last_inbound_id IS 'Its event id.';
COMMENT ON COLUMN journey.current_states.last_inbound_anchor IS 'Short key of its anchor.';
COMMENT ON COLUMN journey.current_states.stage_since_at IS 'Time of the last change of stage.';
COMMENT ON COLUMN journey.current_states.order_count IS 'Touches that match a conversion rule, at most 4294967295.';
COMMENT ON COLUMN journey.current_states.currency IS 'Code of the currency with the most conversions, 0 = none.';
COMMENT ON COLUMN journey.current_states.revenue_micros IS 'Sum of the conversions in that currency, in micro-units.';
COMMENT ON COLUMN journey.current_states.margin_micros IS 'Sum of their margin, in micro-units.';
COMMENT ON COLUMN journey.current_states.revenue_with_margin_micros IS 'Revenue of those that say their margin, in micro-units.';
COMMENT ON COLUMN journey.current_states.has_margin IS '1: any of them says its margin.';
COMMENT ON COLUMN journey.current_states.last_order_at IS 'Time of the last of them.';
COMMENT ON COLUMN journey.current_states.last_score IS 'Last score, -100 to 100.';
COMMENT ON COLUMN journey.current_states.last_score_at IS 'Its time.';
COMMENT ON COLUMN journey.current_states.score_trend IS 'Mean score of 90 days, less that of the 90 days before.';
COMMENT ON COLUMN journey.current_states.cost_micros IS 'Costs of touches in that currency, in micro-units.';
COMMENT ON COLUMN journey.current_states.has_cost IS '1: any touch says its cost in that currency.';
COMMENT ON COLUMN journey.current_states.zone IS 'Code of the newest time zone that a touchpoint said, as in tutti_meta.zones; 0 = none.';
COMMENT ON COLUMN journey.current_states.zone_at IS 'When it was said.';
COMMENT ON COLUMN journey.current_states.lapses IS 'How memberships of segments change from the last touchpoint on, packed; null: not at all.';
COMMENT ON COLUMN journey.current_states.at_risk_at IS 'When the customer becomes at risk; null: never, or it is so already.';
COMMENT ON COLUMN journey.current_states.lapsed_at IS 'When the customer lapses; null: it is so already.';
COMMENT ON COLUMN journey.current_states.exit_at IS 'When the journey ends.';
