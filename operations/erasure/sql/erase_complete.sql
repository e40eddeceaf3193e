-- Nothing is left to tidy up of the erasure with version $1.
UPDATE identity.erasures SET is_complete = true, linked = '{}' WHERE version = $1
