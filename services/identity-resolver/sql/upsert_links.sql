INSERT INTO identity.links AS l (a, b, first_seen_at, evidence)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::timestamptz[]), unnest($4::uuid[])
ON CONFLICT (a, b) DO UPDATE
    SET first_seen_at = excluded.first_seen_at, evidence = excluded.evidence
    WHERE (excluded.first_seen_at, excluded.evidence) < (l.first_seen_at, l.evidence)
