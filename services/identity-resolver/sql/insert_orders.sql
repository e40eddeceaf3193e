INSERT INTO identity.manual_evidence (kind, a, b, actor, reason)
SELECT kind, a, nullif(b, '00000000-0000-0000-0000-000000000000'), actor, reason
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[]) WITH ORDINALITY AS u (kind, a, b, actor, reason, n)
ORDER BY n
RETURNING id
