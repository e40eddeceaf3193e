-- No generation is active; the next statement starts another, in the slot that this one had.
UPDATE tutti_meta.generations SET is_active = false WHERE is_active RETURNING slot
