-- $1 generation.
DELETE FROM journey.segments WHERE generation = $1
