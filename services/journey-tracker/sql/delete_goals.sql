-- $1 generation.
DELETE FROM journey.goals WHERE generation = $1
