-- Identifiers up to this one are done.
UPDATE tutti_meta.reanchoring SET after_id = $1
