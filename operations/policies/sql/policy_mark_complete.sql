-- Everything is derived under the active generation.
UPDATE tutti_meta.generations SET is_complete = true WHERE is_active
