DELETE FROM journey.stage_changes
WHERE stage_change_id = ANY ($1::uuid[])
