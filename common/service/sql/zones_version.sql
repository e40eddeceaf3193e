-- Which version of the time zone database $1 is.
SELECT tzdata FROM tutti_meta.zone_sets WHERE zones = $1
