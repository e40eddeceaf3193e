-- What departments may offer because of what happened, and what became of it. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.dim_offers AS
SELECT rule_id, offer_id, title, product, owner AS owner_department,
       (ARRAY['low', 'normal', 'high'])[priority] AS priority,
       due_after, expires_after, cooling
FROM journey.offers
WHERE generation = (SELECT generation FROM tutti_meta.active);
COMMENT ON VIEW tutti.dim_offers IS 'Offers of the active policies. Key: rule_id, offer_id (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.rule_id IS 'Rule that makes the offer (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.offer_id IS 'The offer (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.title IS 'Title (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.product IS 'What is offered (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.owner_department IS 'Department that offers it (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.priority IS 'low, normal or high (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.due_after IS 'From the trigger to the best time for it (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.expires_after IS 'From the trigger to the time when it is void (chronicle).';
COMMENT ON COLUMN tutti.dim_offers.cooling IS 'Time from the trigger in which no other one is opened (chronicle).';
GRANT SELECT ON tutti.dim_offers TO tutti_reader;

CREATE VIEW tutti.fct_opportunities AS
SELECT opportunity_id, rule_id, offer_id, profile_id, trigger_event_id AS trigger_touchpoint_id, product, owner AS owner_department,
       (ARRAY['low', 'normal', 'high'])[priority] AS priority,
       opened_at, due_at, expires_at, state, accepted_at, ended_at, end_event_id AS ended_touchpoint_id, trigger_count, loaded_at
FROM journey.opportunity_states;
COMMENT ON VIEW tutti.fct_opportunities IS 'What departments may offer customers because of what happened, as of tutti.as_of(). Key: opportunity_id (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.opportunity_id IS 'Hash of rule, offer and trigger (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.rule_id IS 'Rule that opened it (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.offer_id IS 'Offer of the rule (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.trigger_touchpoint_id IS 'Touchpoint that opened it (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.product IS 'What is offered (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.owner_department IS 'Department that offers it (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.priority IS 'low, normal or high (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.opened_at IS 'Time of the trigger (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.due_at IS 'Best time for the offer (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.expires_at IS 'From then on it is void (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.state IS 'open, accepted, won, cancelled, declined or expired (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.accepted_at IS 'When it was accepted first, whatever came later (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.ended_at IS 'When it was won, cancelled or declined, or when it expired (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.ended_touchpoint_id IS 'Touchpoint that ended it; null where it expired (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.trigger_count IS 'The trigger and the later ones that it covers (convergent).';
COMMENT ON COLUMN tutti.fct_opportunities.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_opportunities TO tutti_reader;

CREATE VIEW tutti.rpt_opportunities AS
SELECT date_trunc('month', o.opened_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS period_start_date,
       o.rule_id, o.offer_id, o.owner AS owner_department, w.currency,
       count(*) AS opened,
       count(o.accepted_at) AS accepted,
       count(*) FILTER (WHERE o.state = 'declined') AS declined,
       count(*) FILTER (WHERE o.state = 'cancelled') AS cancelled,
       count(*) FILTER (WHERE o.state = 'expired') AS expired,
       count(*) FILTER (WHERE o.state = 'won') AS won,
       coalesce(sum(floor(extract(epoch FROM o.accepted_at - o.opened_at))), 0)::bigint AS seconds_to_accept_sum,
       (coalesce(sum(w.value_micros), 0) * 0.000001)::numeric(38, 6) AS revenue
FROM journey.opportunity_states AS o
LEFT JOIN LATERAL (
    SELECT f.value_micros, s.currency
    FROM journey.facts AS f
    JOIN journey.shapes AS s USING (shape)
    WHERE o.state = 'won' AND (f.anchor, f.occurred_at, f.event_id) = (o.end_anchor, o.ended_at, o.end_event_id) AND f.value_micros IS NOT NULL
) AS w ON true
GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW tutti.rpt_opportunities IS 'Opportunities by the month in which they were opened, as of tutti.as_of(); all numbers may be added up. Key: period_start_date, rule_id, offer_id, owner_department, currency (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.period_start_date IS 'First day of the month in the reporting zone (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.rule_id IS 'Rule that opened them (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.offer_id IS 'Offer of the rule (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.owner_department IS 'Department that offers it (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.currency IS 'Currency of revenue; null: not won, or won without money (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.opened IS 'Opportunities (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.accepted IS 'Those that were accepted, whatever came later (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.declined IS 'Those that ended as declined (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.cancelled IS 'Those that ended as cancelled (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.expired IS 'Those that ended as expired (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.won IS 'Those that ended as won (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.seconds_to_accept_sum IS 'Seconds from the trigger to the acceptance, over those that were accepted (convergent).';
COMMENT ON COLUMN tutti.rpt_opportunities.revenue IS 'Value of the touchpoints that won them (convergent).';
GRANT SELECT ON tutti.rpt_opportunities TO tutti_reader;
