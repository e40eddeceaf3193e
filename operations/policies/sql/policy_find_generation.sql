-- The active generation, if its policies have the hash $1.
SELECT number, is_complete, slot FROM tutti_meta.generations WHERE generation = $1 AND is_active
