-- Nothing is being built any more.
UPDATE tutti_meta.generations SET is_building = false WHERE is_building
