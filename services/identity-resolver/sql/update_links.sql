UPDATE identity.links AS l
SET first_seen_at = u.first_seen_at, evidence = u.evidence, refused_by = u.refused_by,
    is_indirect = u.is_indirect
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::smallint[], $6::boolean[])
    AS u (a, b, first_seen_at, evidence, refused_by, is_indirect)
WHERE l.a = u.a AND l.b = u.b
