-- The policies $2 (JSON) with the time zones $3 and the hash $1 are the active generation, under a new number and in the slot $4.
INSERT INTO tutti_meta.generations (generation, policies, zones, slot, is_active)
VALUES ($1, $2::text::json, $3, $4, true)
ON CONFLICT (generation) DO UPDATE
SET is_active = true, slot = excluded.slot, activated_at = now(), number = DEFAULT, is_complete = false
RETURNING number
