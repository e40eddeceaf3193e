-- as_of: 2026-03-20T00:00:00Z
SELECT profile_id, changed_at, from_stage, to_stage
FROM tutti.fct_stage_changes
WHERE from_stage IS DISTINCT FROM to_stage
ORDER BY profile_id, changed_at, change_position;
