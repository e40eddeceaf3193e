-- The generation $1, of which everything is derived, is the active one.
UPDATE tutti_meta.generations SET is_active = true, is_building = false, is_complete = true, activated_at = now() WHERE generation = $1
