-- Whether an apply was interrupted.
SELECT EXISTS (SELECT FROM tutti_meta.generations WHERE is_building)
