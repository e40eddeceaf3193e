-- For one transaction of a follower of the generation $1: waits for another one's, and holds off erasures. No row: it is not being built.
SELECT tutti_meta.hold_erasures()
FROM (SELECT FROM tutti_meta.generations WHERE generation = $1 AND is_building FOR UPDATE) AS g
