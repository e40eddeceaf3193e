-- What these facts show together. Stored as refused (by pair), which is looked for from both of its ends, until the review of the
-- profiles says what becomes of it.
INSERT INTO identity.links AS l (a, b, first_seen_at, evidence, refused_by, is_indirect)
SELECT a, b, first_seen_at, evidence, 1, is_indirect
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::boolean[]) AS u (a, b, first_seen_at, evidence, is_indirect)
ORDER BY a, b
ON CONFLICT (a, b) DO UPDATE SET first_seen_at = excluded.first_seen_at, evidence = excluded.evidence, is_indirect = excluded.is_indirect
WHERE (excluded.is_indirect, excluded.first_seen_at, excluded.evidence) < (l.is_indirect, l.first_seen_at, l.evidence)
