-- No generation is active or being built; the next statement starts another, in the slot that the active one had.
WITH stopped AS (UPDATE tutti_meta.generations SET is_building = false WHERE is_building)
UPDATE tutti_meta.generations SET is_active = false WHERE is_active RETURNING slot
