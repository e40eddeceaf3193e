DELETE FROM journey.traits
