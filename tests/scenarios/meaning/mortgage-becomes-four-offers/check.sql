-- as_of: 2026-04-20T00:00:00Z
-- each opportunity
SELECT t.message_id, o.offer_id, o.owner_department, o.opened_at, o.due_at, o.state, o.accepted_at, o.ended_at, o.trigger_count
FROM tutti.fct_opportunities AS o
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = o.trigger_touchpoint_id AND t.profile_id = o.profile_id
ORDER BY 1, 2;
-- by month
SELECT period_start_date, offer_id, currency, opened, accepted, declined, cancelled, expired, won, seconds_to_accept_sum, revenue
FROM tutti.rpt_opportunities ORDER BY 1, 2, 3;
-- live ones of each customer
SELECT open_opportunity_count, count(*) AS customers FROM tutti.dim_profiles GROUP BY 1 ORDER BY 1;
-- what a request is about
SELECT department, opportunity_id FROM tutti.fct_contact_decisions;
