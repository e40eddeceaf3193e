-- Sales of erased people, as in the active slot: nobody's. Who owns one in the slot that is being built loses it.
WITH gone AS MATERIALIZED (
    SELECT a.occurred_at, a.event_id, a.rank, s.event_id IS NOT NULL AS is_stored, s.anchor AS former, s.rank AS former_rank
    FROM active.sales AS a
    LEFT JOIN sales AS s USING (occurred_at, event_id)
    WHERE a.anchor IS NULL AND (s.event_id IS NULL OR s.anchor IS NOT NULL)
), made AS (
    INSERT INTO sales (occurred_at, event_id, anchor, rank) SELECT occurred_at, event_id, NULL, rank FROM gone WHERE NOT is_stored
), changed AS (
    UPDATE sales AS s
    SET anchor = NULL
    FROM gone AS g
    WHERE g.is_stored AND s.occurred_at = g.occurred_at AND s.event_id = g.event_id
), added AS (
    INSERT INTO sale_copies (occurred_at, event_id, anchor, rank)
    SELECT occurred_at, event_id, former, former_rank FROM gone WHERE is_stored
    ON CONFLICT DO NOTHING
)
UPDATE journey.followed AS f
SET ver = NULL
FROM gone AS g
JOIN journey.anchors AS a ON a.anchor = g.former
WHERE f.profile = a.profile
