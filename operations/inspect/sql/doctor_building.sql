-- Whether profiles are derived under policies that are not active, and of how many that is done.
SELECT count(*) FROM journey.followed WHERE EXISTS (SELECT FROM tutti_meta.generations WHERE is_building)
HAVING EXISTS (SELECT FROM tutti_meta.generations WHERE is_building)
