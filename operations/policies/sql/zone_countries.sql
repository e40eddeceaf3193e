-- The zones of countries of the version $1: pairs of country ($2) and name ($3) in their order.
INSERT INTO tutti_meta.zone_countries (zones, country, codes)
SELECT $1, p.country, array_agg(z.code ORDER BY p.at)
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS p (country, name, at)
JOIN tutti_meta.zones AS z ON z.zones = $1 AND z.name = p.name
GROUP BY p.country
