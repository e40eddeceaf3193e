-- The generation $1 was a trial. One that was active before only ceases to be built.
WITH gone AS (
    DELETE FROM tutti_meta.generations WHERE generation = $1 AND NOT is_active AND activated_at IS NULL RETURNING generation
), goals AS (DELETE FROM journey.goals AS t USING gone WHERE t.generation = gone.generation),
   segments AS (DELETE FROM journey.segments AS t USING gone WHERE t.generation = gone.generation),
   tiers AS (DELETE FROM journey.tiers AS t USING gone WHERE t.generation = gone.generation),
   offers AS (DELETE FROM journey.offers AS t USING gone WHERE t.generation = gone.generation),
   gestures AS (DELETE FROM journey.gesture_limits AS t USING gone WHERE t.generation = gone.generation),
   policies AS (DELETE FROM journey.policies AS t USING gone WHERE t.generation = gone.generation)
UPDATE tutti_meta.generations AS g SET is_building = false WHERE g.generation = $1 AND g.is_building AND g.activated_at IS NOT NULL
