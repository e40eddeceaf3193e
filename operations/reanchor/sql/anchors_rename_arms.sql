-- What these identifiers have drawn is of what they become; of two that are one now, control stays. A blocked one has drawn nothing.
WITH gone AS (
    DELETE FROM suppression.arms AS a
    USING tutti_meta.renamed AS n
    WHERE n.old_id = ANY ($1::uuid[]) AND a.anchor = tutti_meta.short_key(n.old_id)
    RETURNING n.new_id, a.holdout, a.arm, a.basis_points, a.assigned_at, a.request_id, a.loaded_at
)
INSERT INTO suppression.arms AS a (holdout, anchor, arm, basis_points, assigned_at, request_id, loaded_at)
SELECT DISTINCT ON (new_id, holdout) holdout, tutti_meta.short_key(new_id), arm, basis_points, assigned_at, request_id, loaded_at
FROM gone
WHERE new_id IS NOT NULL
ORDER BY new_id, holdout, arm DESC, assigned_at, request_id
ON CONFLICT (anchor, holdout) DO UPDATE
SET arm = excluded.arm, basis_points = excluded.basis_points, assigned_at = excluded.assigned_at, request_id = excluded.request_id,
    loaded_at = excluded.loaded_at
WHERE excluded.arm > a.arm
