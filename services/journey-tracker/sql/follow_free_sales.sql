-- Sales that only the slot being built calls those of erased people: they go to the first of the others who tell them, or are forgotten.
WITH free AS MATERIALIZED (
    SELECT s.occurred_at, s.event_id
    FROM sales AS s
    LEFT JOIN active.sales AS a USING (occurred_at, event_id)
    WHERE s.anchor IS NULL AND (a.event_id IS NULL OR a.anchor IS NOT NULL)
), firsts AS MATERIALIZED (
    SELECT DISTINCT ON (occurred_at, event_id) occurred_at, event_id, c.anchor, c.rank, a.profile
    FROM free
    JOIN sale_copies AS c USING (occurred_at, event_id)
    LEFT JOIN journey.anchors AS a ON a.anchor = c.anchor
    ORDER BY occurred_at, event_id, CASE WHEN a.anchor IS NULL THEN 2 ELSE a.version % 2 END, c.rank DESC, c.anchor
), moved AS (
    UPDATE sales AS s
    SET anchor = f.anchor, rank = f.rank
    FROM firsts AS f
    WHERE s.occurred_at = f.occurred_at AND s.event_id = f.event_id
), forgotten AS (
    DELETE FROM sales AS s
    USING free AS f
    LEFT JOIN firsts AS n USING (occurred_at, event_id)
    WHERE s.occurred_at = f.occurred_at AND s.event_id = f.event_id AND n.event_id IS NULL
), dropped AS (
    DELETE FROM sale_copies AS c
    USING firsts AS f
    WHERE c.anchor = f.anchor AND c.occurred_at = f.occurred_at AND c.event_id = f.event_id
)
UPDATE journey.followed AS f
SET ver = NULL
FROM firsts AS n
WHERE f.profile = n.profile
