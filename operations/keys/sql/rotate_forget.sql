-- Of the next hashes after $1, those under other keys than number $2 are forgotten; how far it came.
WITH next AS (
    SELECT hash, key_number FROM identity.found_by WHERE hash > $1 ORDER BY hash LIMIT 10000
), gone AS (
    DELETE FROM identity.found_by AS f
    USING next AS n
    WHERE f.hash = n.hash AND n.key_number <> $2
)
SELECT hash FROM next ORDER BY hash DESC LIMIT 1
