-- as_of: 2026-12-15T00:00:00Z
-- days and hours
SELECT message_id, occurred_date, local_hour, local_weekday
FROM tutti.fct_touchpoints
WHERE source = 'urn:d1';
-- a week across the new year
SELECT period_kind, period_start_date, value, customers
FROM tutti.rpt_shared_goals
WHERE goal_id = 'd2_visits' AND department = '(all)' AND segment_id = '(all)' AND period_kind <> 'day';
