-- The policies $2 (JSON) with the hash $1 are the active generation, under a new number.
INSERT INTO tutti_meta.generations (generation, policies, is_active)
VALUES ($1, $2::text::jsonb, true)
ON CONFLICT (generation) DO UPDATE
SET is_active = true, activated_at = now(), number = DEFAULT, is_complete = false
RETURNING number
