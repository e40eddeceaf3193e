-- The policies $2 (JSON) with the time zones $3 and the hash $1 are to be derived, under a new number, into the slot that is not active.
INSERT INTO tutti_meta.generations (generation, policies, zones, slot, is_active, is_building, activated_at)
VALUES ($1, $2::text::json, $3, 1 - tutti_meta.active_slot(), false, true, NULL)
ON CONFLICT (generation) DO UPDATE
SET is_building = true, slot = excluded.slot, number = DEFAULT, is_complete = false
RETURNING number, slot
