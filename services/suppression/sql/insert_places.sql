-- Evidence of where customers were, one row of each key: the days become those of all that was ever told. Answers the anchors that were
-- not known to have been there. Days are counted from 1970-01-01.
WITH told AS MATERIALIZED (
    SELECT u.anchor, u.kind, u.value, date '1970-01-01' + u.first_day AS first_day, date '1970-01-01' + u.last_day AS last_day
    FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::integer[], $5::integer[]) AS u (anchor, kind, value, first_day, last_day)
    ORDER BY 1, 2, 3
)
INSERT INTO suppression.places AS p (anchor, kind, value, first_day, last_day)
SELECT anchor, kind, value, first_day, last_day FROM told
ON CONFLICT (anchor, kind, value) DO UPDATE
SET first_day = least(p.first_day, excluded.first_day), last_day = greatest(p.last_day, excluded.last_day)
WHERE p.first_day > excluded.first_day OR p.last_day < excluded.last_day
RETURNING anchor, xmax = 0
