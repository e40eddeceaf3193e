-- Facts up to this key are done.
UPDATE tutti_meta.reanchoring SET after_anchor = $1, after_at = $2, after_event = $3
