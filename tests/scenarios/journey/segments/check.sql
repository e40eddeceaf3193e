-- as_of: 2026-12-15T00:00:00Z
-- memberships
SELECT t.source, m.segment_id, m.profile_id, m.valid_from_at, m.valid_to_at
FROM tutti.fct_segment_memberships AS m JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = m.touchpoint_id
WHERE (t.source = 'urn:v7' OR m.segment_id <> 'v7_lapsed') AND (t.source = 'urn:v5' OR m.segment_id <> 'v5_quiet_new') AND m.segment_id LIKE 'v%';
-- segments before the order
SELECT conversion_department, conversion_date, segment_id, attributed_conversions
FROM tutti.rpt_attributions_daily
WHERE model = 'linear' AND conversion_department IN ('v6', 'v9');
