-- Codes that names of time zones have.
SELECT name, max(code) FROM tutti_meta.zones GROUP BY name
