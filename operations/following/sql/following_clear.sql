-- Empties the slot $1 and what a follower noted.
SELECT tutti_meta.clear_tables(VARIADIC (
    SELECT array_agg(c.oid::regclass)
    FROM pg_class AS c
    WHERE c.relkind = 'r' AND (c.relnamespace = CASE $1::smallint WHEN 0 THEN 'slot_0' ELSE 'slot_1' END::regnamespace
                               OR c.oid = 'journey.followed'::regclass)))
