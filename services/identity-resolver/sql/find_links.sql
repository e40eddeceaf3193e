SELECT l.a, l.b, l.first_seen_at, l.evidence, l.refused_by, l.is_indirect
FROM unnest($1::uuid[], $2::uuid[]) AS u (a, b)
JOIN identity.links l ON l.a = u.a AND l.b = u.b
