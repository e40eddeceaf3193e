-- A version ($2) of the time zone database with the hash $1.
INSERT INTO tutti_meta.zone_sets (zones, tzdata) VALUES ($1, $2) ON CONFLICT DO NOTHING
