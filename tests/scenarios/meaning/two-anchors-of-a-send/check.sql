-- as_of: 2026-12-15T00:00:00Z
-- credit
SELECT converted_at, model, touched_at, touch_channel, campaign_id, credit, attributed_revenue
FROM tutti.fct_attributions
WHERE model IN ('first_touch', 'last_touch', 'linear')
ORDER BY converted_at, model, touch_position, touched_at;
-- pressure
SELECT goal_date, value
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND goal_id = 'pressure' AND department = '(all)'
ORDER BY goal_date;
-- letters that the cap saw
SELECT r.rule_id, r.passed, r.observed, r.allowed
FROM tutti.fct_contact_decision_rules AS r
WHERE r.rule_id = 'mail30'
ORDER BY r.rule_id;
-- verdicts
SELECT t.message_id, d.verdict, d.reason, d.rule_id, d.retry_at
FROM tutti.fct_contact_decisions AS d
JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id
ORDER BY d.requested_at, t.message_id;
