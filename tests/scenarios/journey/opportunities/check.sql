-- as_of: 2026-12-15T00:00:00Z
-- opportunities
SELECT t.message_id AS trigger_message, o.rule_id, o.offer_id, o.profile_id, o.state, o.opened_at, o.due_at, o.expires_at, o.accepted_at, o.ended_at, o.trigger_count
FROM tutti.fct_opportunities AS o JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = o.trigger_touchpoint_id
WHERE o.rule_id IN ('life', 'printer');
-- by month
SELECT period_start_date, rule_id, offer_id, owner_department, currency, opened, accepted, declined, cancelled, expired, won, seconds_to_accept_sum, revenue
FROM tutti.rpt_opportunities
WHERE rule_id IN ('life', 'printer');
