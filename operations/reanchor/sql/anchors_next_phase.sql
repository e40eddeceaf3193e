-- The next phase, from its beginning.
UPDATE tutti_meta.reanchoring
SET phase = phase + 1, after_id = DEFAULT, after_anchor = DEFAULT, after_at = DEFAULT, after_event = DEFAULT
