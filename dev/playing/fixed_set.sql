-- What dev/play asks of a case without a check.sql. The comment above a query is its name in expected.jsonl.

-- profiles
SELECT left(profile_id::text, 8) AS profile, stage, status, is_shared, identifier_count AS identifiers, order_count AS orders, revenue,
       currency, last_seen_at
FROM tutti.dim_profiles
ORDER BY first_seen_at, profile_id;

-- identifiers
SELECT left(profile_id::text, 8) AS profile, type, left(identifier_id::text, 8) AS identifier, first_seen_at, is_quarantined
FROM tutti.dim_identifiers
ORDER BY profile_id, first_seen_at, type, identifier_id;

-- touchpoints
SELECT left(profile_id::text, 8) AS profile, occurred_at, message_id, channel, event_name, direction, campaign_id, revenue, currency
FROM tutti.fct_touchpoints
ORDER BY occurred_at, touchpoint_id;

-- unidentified touchpoints
SELECT occurred_at, message_id, channel, event_name
FROM tutti.fct_unidentified_touchpoints
ORDER BY occurred_at, touchpoint_id;

-- stage changes
SELECT left(profile_id::text, 8) AS profile, changed_at, from_stage, to_stage, from_status, to_status, reason
FROM tutti.fct_stage_changes
ORDER BY changed_at, profile_id, to_stage, to_status;

-- conversions
SELECT left(profile_id::text, 8) AS profile, converted_at, goal_id, revenue, currency, is_first, path
FROM tutti.fct_conversions
ORDER BY converted_at, conversion_id;

-- credit
SELECT left(profile_id::text, 8) AS profile, converted_at, model, touch_channel, campaign_id, credit, attributed_revenue AS revenue, currency
FROM tutti.fct_attributions
ORDER BY converted_at, conversion_id, model, touch_position;

-- contact decisions
SELECT coalesce(t.message_id, u.message_id) AS message_id, left(d.profile_id::text, 8) AS profile, d.requested_at, d.channel, d.verdict,
       d.reason, d.rule_id, d.retry_at, d.outcome, d.outcome_cause
FROM tutti.fct_contact_decisions AS d
LEFT JOIN (SELECT DISTINCT touchpoint_id, message_id FROM tutti.fct_touchpoints) AS t ON t.touchpoint_id = d.request_id
LEFT JOIN (SELECT DISTINCT touchpoint_id, message_id FROM tutti.fct_unidentified_touchpoints) AS u ON u.touchpoint_id = d.request_id
ORDER BY d.requested_at, message_id, d.request_id;

-- goals
SELECT goal_date, goal_id, value, unit, currency, customers
FROM tutti.rpt_shared_goals_daily
WHERE segment_id = '(all)' AND department = '(all)' AND channel = '(all)' AND metric <> 'stock'
ORDER BY goal_date, goal_id, currency;
