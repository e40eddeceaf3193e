-- What is being built: number and slot of the generation $1 if that is it; without a row, a slot that is free.
SELECT g.number, g.slot FROM tutti_meta.generations AS g WHERE g.generation = $1 AND g.is_building
