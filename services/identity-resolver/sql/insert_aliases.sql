INSERT INTO identity.aliases (a, b, topic, source)
SELECT DISTINCT a, b, topic, source
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS u (a, b, topic, source)
ORDER BY a, b, topic, source
ON CONFLICT DO NOTHING
