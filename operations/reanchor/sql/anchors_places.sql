-- Touchpoints have gone from the anchors $1 to the anchors $2. Which of them said where the customer was is not known: all places of the
-- former anchor become places of the new one, too.
INSERT INTO suppression.places AS p (anchor, kind, value, first_day, last_day)
SELECT m.new_anchor, o.kind, o.value, min(o.first_day), max(o.last_day)
FROM (SELECT DISTINCT old_anchor, new_anchor FROM unnest($1::bigint[], $2::bigint[]) AS u (old_anchor, new_anchor)) AS m
JOIN suppression.places AS o ON o.anchor = m.old_anchor
WHERE m.new_anchor <> m.old_anchor
GROUP BY m.new_anchor, o.kind, o.value
ORDER BY 1, 2, 3
ON CONFLICT (anchor, kind, value) DO UPDATE
SET first_day = least(p.first_day, excluded.first_day), last_day = greatest(p.last_day, excluded.last_day)
WHERE p.first_day > excluded.first_day OR p.last_day < excluded.last_day
