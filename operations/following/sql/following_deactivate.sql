-- The last moment of the active generation.
UPDATE tutti_meta.generations SET is_active = false WHERE is_active
