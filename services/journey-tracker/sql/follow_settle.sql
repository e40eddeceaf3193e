-- The sales that these anchors ($1) tell, in the slot that is being built: each gets its owner among all who are known to tell it. A
-- profile that gains or loses the sale of another is to be derived again. Sales of erased people stay nobody's.
WITH claims AS MATERIALIZED (
    SELECT f.occurred_at, f.event_id, f.anchor,
           tutti_meta.touch_rank(CASE WHEN s.is_touch THEN s.shown_direction END, w.is_conversion, w.is_return)::smallint AS rank
    FROM journey.facts AS f
    JOIN shape_meanings AS s USING (shape)
    CROSS JOIN LATERAL (SELECT s.is_goal_event AND coalesce(f.value_micros, 0) >= CASE WHEN s.needs_value THEN 1 ELSE 0 END AS is_conversion,
                               s.is_return_event OR (s.is_goal_event AND coalesce(f.value_micros, 0) < 0) AS is_return) AS w
    WHERE f.anchor = ANY ($1::bigint[])
      AND (w.is_conversion OR w.is_return
           OR ((f.value_micros <> 0 OR f.margin_micros <> 0) AND CASE WHEN f.value_micros > 0 THEN s.is_money_with_value ELSE s.is_money END))
), asked AS MATERIALIZED (
    SELECT DISTINCT occurred_at, event_id FROM claims
), stored AS MATERIALIZED (
    SELECT occurred_at, event_id, s.anchor, s.rank FROM asked JOIN sales AS s USING (occurred_at, event_id)
), tellers AS MATERIALIZED (
    SELECT occurred_at, event_id, anchor, rank FROM claims
    UNION
    SELECT occurred_at, event_id, anchor, rank FROM stored WHERE anchor IS NOT NULL
    UNION
    SELECT occurred_at, event_id, c.anchor, c.rank FROM asked JOIN sale_copies AS c USING (occurred_at, event_id)
), ordered AS MATERIALIZED (
    SELECT t.occurred_at, t.event_id, t.anchor, t.rank, a.profile, o.event_id IS NOT NULL AS is_stored, o.anchor AS former,
           o.event_id IS NOT NULL AND o.anchor IS NULL AS is_gone,
           row_number() OVER (PARTITION BY t.occurred_at, t.event_id
                              ORDER BY CASE WHEN a.anchor IS NULL THEN 2 ELSE a.version % 2 END, t.rank DESC, t.anchor) = 1 AS is_first
    FROM tellers AS t
    LEFT JOIN stored AS o USING (occurred_at, event_id)
    LEFT JOIN journey.anchors AS a ON a.anchor = t.anchor
), made AS (
    INSERT INTO sales (occurred_at, event_id, anchor, rank)
    SELECT occurred_at, event_id, anchor, rank FROM ordered WHERE is_first AND NOT is_stored
), changed AS MATERIALIZED (
    SELECT * FROM ordered WHERE is_first AND former <> anchor
), moved AS (
    UPDATE sales AS s
    SET anchor = c.anchor, rank = c.rank
    FROM changed AS c
    WHERE s.occurred_at = c.occurred_at AND s.event_id = c.event_id
), added AS (
    INSERT INTO sale_copies (occurred_at, event_id, anchor, rank)
    SELECT occurred_at, event_id, anchor, rank FROM ordered WHERE is_gone OR NOT is_first
    ON CONFLICT DO NOTHING
), dropped AS (
    DELETE FROM sale_copies AS c
    USING changed AS o
    WHERE c.anchor = o.anchor AND c.occurred_at = o.occurred_at AND c.event_id = o.event_id
)
UPDATE journey.followed AS f
SET ver = NULL
FROM changed AS c
JOIN ordered AS o USING (occurred_at, event_id)
WHERE f.profile = o.profile AND (o.is_first OR o.anchor = c.former)
