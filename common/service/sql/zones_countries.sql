-- The zones of each country, of one version of the time zone database ($1).
SELECT c.country, u.code
FROM tutti_meta.zone_countries AS c
CROSS JOIN LATERAL unnest(c.codes) WITH ORDINALITY AS u (code, number)
WHERE c.zones = $1
ORDER BY c.country, u.number
