-- Customers whose newest change of stage would be told otherwise in this connection's slot than in the active one: what to take back, and
-- what to tell.
WITH newest AS (
    SELECT DISTINCT ON (a.profile_id) a.profile_id, s.stage_change_id, s.anchor, s.touchpoint_id, s.from_stage, s.to_stage, s.reason, s.changed_at
    FROM stage_changes AS s
    JOIN journey.anchors AS a USING (anchor)
    WHERE s.from_stage <> s.to_stage
    ORDER BY a.profile_id, s.changed_at DESC, s.position DESC
), former AS (
    SELECT DISTINCT ON (a.profile_id) a.profile_id, s.stage_change_id, s.anchor, s.touchpoint_id, s.from_stage, s.to_stage, s.reason, s.changed_at
    FROM active.stage_changes AS s
    JOIN journey.anchors AS a USING (anchor)
    WHERE s.from_stage <> s.to_stage
    ORDER BY a.profile_id, s.changed_at DESC, s.position DESC
)
SELECT true AS is_taken_back, f.profile_id, f.stage_change_id, f.anchor, f.touchpoint_id, f.from_stage, f.to_stage, f.reason, f.changed_at
FROM former AS f
LEFT JOIN stage_changes AS s ON s.anchor = f.anchor AND s.changed_at = f.changed_at AND s.stage_change_id = f.stage_change_id
                                AND s.from_stage <> s.to_stage
WHERE s.anchor IS NULL
UNION ALL
SELECT false, n.profile_id, n.stage_change_id, n.anchor, n.touchpoint_id, n.from_stage, n.to_stage, n.reason, n.changed_at
FROM newest AS n
LEFT JOIN active.stage_changes AS s ON s.anchor = n.anchor AND s.changed_at = n.changed_at AND s.stage_change_id = n.stage_change_id
WHERE (s.from_stage, s.to_stage) IS DISTINCT FROM (n.from_stage, n.to_stage)
