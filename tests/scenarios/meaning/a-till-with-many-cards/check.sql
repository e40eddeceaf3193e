-- as_of: 2026-12-15T00:00:00Z
SELECT stage, status, order_count, revenue, currency, is_shared, identifier_count FROM tutti.dim_profiles WHERE identifier_count > 2 ORDER BY first_seen_at, profile_id;

SELECT type, count(*) AS n FROM tutti.dim_identifiers WHERE is_quarantined GROUP BY 1;

SELECT sum(value) AS value FROM tutti.rpt_shared_goals_daily WHERE goal_id='sale' AND department='(all)' AND channel='(all)';
