-- Customers with requests, and on demand ($3) with sends that name none, from $1 on and before $2 (NULL: no bound).
SELECT DISTINCT a.profile_id
FROM suppression.facts AS f
JOIN suppression.anchors AS a USING (anchor)
WHERE a.version % 2 = 0
  AND (f.kind = 1 OR (f.kind = 2 AND $3::boolean AND f.decision_id IS NULL))
  AND f.occurred_at >= coalesce($1::text::timestamptz, '-infinity') AND f.occurred_at < coalesce($2::text::timestamptz, 'infinity')
ORDER BY a.profile_id
