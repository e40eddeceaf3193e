INSERT INTO journey.dictionary (value)
SELECT DISTINCT u.value FROM unnest($1::text[]) AS u (value)
WHERE NOT EXISTS (SELECT FROM journey.dictionary d WHERE d.value = u.value)
ORDER BY u.value
ON CONFLICT DO NOTHING
