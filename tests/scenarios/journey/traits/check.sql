-- as_of: 2026-12-15T00:00:00Z
-- traits
SELECT t.message_id, d.trait, d.value, d.source, d.observed_at
FROM tutti.dim_profile_traits AS d JOIN tutti.fct_touchpoints AS t ON t.profile_id = d.profile_id
WHERE t.message_id IN ('t1', 't2', 't2-again', 't3', 't7') AND d.source <> '(computed)';
-- trends of scores
SELECT t.message_id, d.last_score, d.score_trend_90d
FROM tutti.dim_profiles AS d JOIN tutti.fct_touchpoints AS t ON t.profile_id = d.profile_id
WHERE t.message_id IN ('t4', 't5', 't6');
