-- as_of: 2026-12-15T00:00:00Z
-- customers
SELECT count(*) AS customers
FROM tutti.dim_profiles;
-- opt-outs that are kept
SELECT type, channel, opted_out_at
FROM tutti.dim_kept_opt_outs
ORDER BY type, channel;
