-- No generation is active; the next statement starts another.
UPDATE tutti_meta.generations SET is_active = false WHERE is_active
