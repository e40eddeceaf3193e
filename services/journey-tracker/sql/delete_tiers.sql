-- $1 generation.
DELETE FROM journey.tiers WHERE generation = $1
