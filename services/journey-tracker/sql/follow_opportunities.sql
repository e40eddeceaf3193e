-- Opportunities that are live and would be told otherwise under the generation $1, which this connection's slot is of, than under the
-- active one; step 0: it is no more.
WITH steps AS (
    SELECT true AS is_new, opportunity_id, step, by_at, anchor, rule, offer FROM opportunities WHERE step <> 6
    UNION ALL
    SELECT false, opportunity_id, step, by_at, anchor, rule, offer FROM active.opportunities WHERE step <> 6
), states AS (
    SELECT s.is_new, s.opportunity_id, min(s.anchor) AS anchor, min(s.rule) AS rule, min(s.offer) AS offer,
           min(s.by_at) FILTER (WHERE s.step = 1) AS opened_at,
           (array_agg(s.step ORDER BY s.step > 2 DESC, s.step DESC))[1] AS step,
           (array_agg(s.by_at ORDER BY s.step > 2 DESC, s.step DESC))[1] AS at
    FROM steps AS s
    GROUP BY s.is_new, s.opportunity_id
), told AS MATERIALIZED (
    SELECT s.is_new, s.opportunity_id, s.step < 3 AND s.opened_at + f.expires_after > tutti.as_of() AS is_live,
           a.profile_id, f.rule_id, f.offer_id, f.product, f.owner, (ARRAY['low', 'normal', 'high'])[f.priority] AS priority,
           s.step, s.opened_at, s.opened_at + f.due_after AS due_at, s.opened_at + f.expires_after AS expires_at, s.at
    FROM states AS s
    JOIN journey.anchors AS a USING (anchor)
    JOIN journey.dictionary AS r ON r.code = s.rule
    JOIN journey.dictionary AS o ON o.code = s.offer
    JOIN journey.offers AS f
        ON f.generation = CASE WHEN s.is_new THEN $1 ELSE (SELECT generation FROM tutti_meta.active) END
           AND f.rule_id = r.value AND f.offer_id = o.value
)
SELECT t.opportunity_id, t.profile_id, t.rule_id, t.offer_id, t.product, t.owner, t.priority,
       CASE WHEN t.is_new THEN t.step ELSE 0 END::smallint AS step,
       t.opened_at, t.due_at, t.expires_at, CASE WHEN t.is_new THEN t.at ELSE t.opened_at END AS effective_at
FROM told AS t
LEFT JOIN told AS other ON other.opportunity_id = t.opportunity_id AND other.is_new <> t.is_new
WHERE (t.is_live OR other.is_live)
  AND CASE WHEN other.opportunity_id IS NULL THEN true
           ELSE t.is_new AND (t.product, t.owner, t.priority, t.step, t.due_at, t.expires_at, t.at)
                             IS DISTINCT FROM (other.product, other.owner, other.priority, other.step, other.due_at, other.expires_at, other.at) END
ORDER BY t.opportunity_id
