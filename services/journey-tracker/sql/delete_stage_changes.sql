DELETE FROM stage_changes s
USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS u (anchor, changed_at, stage_change_id)
WHERE s.anchor = u.anchor AND s.changed_at = u.changed_at AND s.stage_change_id = u.stage_change_id
