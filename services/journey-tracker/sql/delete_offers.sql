-- $1 generation.
WITH limits AS (DELETE FROM journey.gesture_limits WHERE generation = $1)
DELETE FROM journey.offers WHERE generation = $1
