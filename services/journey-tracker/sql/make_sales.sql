-- One owner per sale, of all facts. Sales of erased people stay as they are.
WITH claims AS (
    SELECT f.occurred_at, f.event_id, f.anchor,
           tutti_meta.touch_rank(CASE WHEN s.is_touch THEN s.shown_direction END, w.is_conversion, w.is_return)::smallint AS rank,
           CASE WHEN a.anchor IS NULL THEN 2 ELSE a.version % 2 END AS holder
    FROM journey.facts AS f
    JOIN shape_meanings AS s USING (shape)
    LEFT JOIN journey.anchors AS a ON a.anchor = f.anchor
    CROSS JOIN LATERAL (SELECT s.is_goal_event AND coalesce(f.value_micros, 0) >= CASE WHEN s.needs_value THEN 1 ELSE 0 END AS is_conversion,
                               s.is_return_event OR (s.is_goal_event AND coalesce(f.value_micros, 0) < 0) AS is_return) AS w
    WHERE w.is_conversion OR w.is_return
       OR ((f.value_micros <> 0 OR f.margin_micros <> 0) AND CASE WHEN f.value_micros > 0 THEN s.is_money_with_value ELSE s.is_money END)
), ordered AS (
    SELECT c.occurred_at, c.event_id, c.anchor, c.rank,
           row_number() OVER (PARTITION BY c.occurred_at, c.event_id ORDER BY c.holder, c.rank DESC, c.anchor) AS place
    FROM claims AS c
), owners AS (
    INSERT INTO sales (occurred_at, event_id, anchor, rank)
    SELECT o.occurred_at, o.event_id, o.anchor, o.rank
    FROM ordered AS o
    WHERE o.place = 1
    ON CONFLICT DO NOTHING
    RETURNING occurred_at, event_id, anchor
)
INSERT INTO sale_copies (occurred_at, event_id, anchor, rank)
SELECT o.occurred_at, o.event_id, o.anchor, o.rank
FROM ordered AS o
LEFT JOIN owners AS w USING (occurred_at, event_id)
WHERE o.place > 1 OR w.anchor IS NULL
