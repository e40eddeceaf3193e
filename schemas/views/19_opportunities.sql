-- Opportunities, put together from their steps.

CREATE VIEW journey.opportunity_states AS
SELECT s.opportunity_id, s.profile_id, r.value AS rule_id, o.offer_id, o.product, o.owner, o.priority,
       s.opened_at, s.opened_at + o.due_after AS due_at, s.opened_at + o.expires_after AS expires_at, s.trigger_event_id,
       CASE WHEN s.end_step IS NOT NULL THEN (ARRAY['won', 'cancelled', 'declined'])[s.end_step - 2]
            WHEN s.opened_at + o.expires_after <= tutti.as_of() THEN 'expired'
            WHEN s.accepted_at IS NOT NULL THEN 'accepted'
            ELSE 'open' END AS state,
       s.accepted_at,
       CASE WHEN s.end_step IS NOT NULL THEN s.ended_at
            WHEN s.opened_at + o.expires_after <= tutti.as_of() THEN s.opened_at + o.expires_after END AS ended_at,
       s.end_anchor, s.end_event_id, s.trigger_count, s.loaded_at
FROM (
    SELECT p.opportunity_id, a.profile_id, p.rule, p.offer,
           min(p.by_at) FILTER (WHERE p.step = 1) AS opened_at,
           (array_agg(p.by_event_id) FILTER (WHERE p.step = 1))[1] AS trigger_event_id,
           min(p.by_at) FILTER (WHERE p.step = 2) AS accepted_at,
           min(p.step) FILTER (WHERE p.step BETWEEN 3 AND 5) AS end_step,
           min(p.by_at) FILTER (WHERE p.step BETWEEN 3 AND 5) AS ended_at,
           min(p.by_anchor) FILTER (WHERE p.step BETWEEN 3 AND 5) AS end_anchor,
           (array_agg(p.by_event_id) FILTER (WHERE p.step BETWEEN 3 AND 5))[1] AS end_event_id,
           (count(*) FILTER (WHERE p.step IN (1, 6)))::integer AS trigger_count,
           min(p.loaded_at) FILTER (WHERE p.step = 1) AS loaded_at
    FROM active.opportunities AS p
    JOIN journey.anchors AS a USING (anchor)
    WHERE p.by_at <= tutti.as_of()
    GROUP BY p.opportunity_id, a.profile_id, p.rule, p.offer
) AS s
JOIN journey.dictionary AS r ON r.code = s.rule
JOIN journey.dictionary AS f ON f.code = s.offer
JOIN journey.offers AS o ON o.generation = (SELECT generation FROM tutti_meta.active) AND o.rule_id = r.value AND o.offer_id = f.value;
COMMENT ON VIEW journey.opportunity_states IS 'Opportunities as they stand at tutti.as_of() (convergent).';
COMMENT ON COLUMN journey.opportunity_states.opportunity_id IS 'The opportunity.';
COMMENT ON COLUMN journey.opportunity_states.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.opportunity_states.rule_id IS 'Rule that opened it.';
COMMENT ON COLUMN journey.opportunity_states.offer_id IS 'Offer of the rule.';
COMMENT ON COLUMN journey.opportunity_states.product IS 'What is offered.';
COMMENT ON COLUMN journey.opportunity_states.owner IS 'Department that offers it.';
COMMENT ON COLUMN journey.opportunity_states.priority IS '1 low, 2 normal, 3 high.';
COMMENT ON COLUMN journey.opportunity_states.opened_at IS 'Time of the trigger.';
COMMENT ON COLUMN journey.opportunity_states.due_at IS 'Best time for the offer.';
COMMENT ON COLUMN journey.opportunity_states.expires_at IS 'From then on it is void.';
COMMENT ON COLUMN journey.opportunity_states.trigger_event_id IS 'Id of the trigger.';
COMMENT ON COLUMN journey.opportunity_states.state IS 'open, accepted, won, cancelled, declined or expired.';
COMMENT ON COLUMN journey.opportunity_states.accepted_at IS 'When it was accepted.';
COMMENT ON COLUMN journey.opportunity_states.ended_at IS 'When it ended.';
COMMENT ON COLUMN journey.opportunity_states.end_anchor IS 'Short key of the anchor of the touchpoint that ended it.';
COMMENT ON COLUMN journey.opportunity_states.end_event_id IS 'Id of that touchpoint.';
COMMENT ON COLUMN journey.opportunity_states.trigger_count IS 'The trigger and those that it covers.';
COMMENT ON COLUMN journey.opportunity_states.loaded_at IS 'When it was stored first (chronicle).';

CREATE VIEW journey.open_opportunities AS
SELECT profile_id, count(*)::integer AS opportunities
FROM journey.opportunity_states
WHERE state IN ('open', 'accepted')
GROUP BY profile_id;
COMMENT ON VIEW journey.open_opportunities IS 'How many opportunities of each customer are live at tutti.as_of() (convergent).';
COMMENT ON COLUMN journey.open_opportunities.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.open_opportunities.opportunities IS 'Opportunities that are open or accepted.';
