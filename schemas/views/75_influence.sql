-- Paths to a goal, and what would be lost without one of their touches. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_path_steps AS
SELECT month AS period_start_date, goal AS goal_id, coalesce(segment_id, '(all)') AS segment_id, from_node, to_node,
       currency, steps::bigint AS steps, sends::bigint AS sends, (revenue_micros * 0.000001)::numeric(38, 6) AS revenue
FROM metrics.paths
WHERE month <= (SELECT today FROM tutti_meta.active) AND (steps <> 0 OR revenue_micros <> 0);
COMMENT ON VIEW tutti.rpt_path_steps IS 'Steps of customers on their paths to a goal, by month: add up rows of one segment_id only. Key: period_start_date, goal_id, segment_id, from_node, to_node, currency (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.period_start_date IS 'First day of the month of the step (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.goal_id IS 'Goal whose conversions end the paths (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.segment_id IS '(all) = everybody, or a segment that the customer was in before the first touch of the path; a customer may be in several (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.from_node IS 'Campaign, kind or channel of the touch that the step comes from, or (start) (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.to_node IS 'That of the touch it leads to, (conversion), or (none): no touch and no conversion came in time (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.currency IS 'Currency of the conversions; null for other steps, or if they have none (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.steps IS 'Number of steps; from a node to itself: further touches there, which are no steps of the chain (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.sends IS 'Those of the touches it leads to that were sent to customers (convergent).';
COMMENT ON COLUMN tutti.rpt_path_steps.revenue IS 'Value of the conversions (convergent).';
GRANT SELECT ON tutti.rpt_path_steps TO tutti_reader;

-- The steps of a goal, months and segment (null: all months) as a chain. With q(a, b) = steps from a to b, of all steps out of a to another
-- node, the inverse of (1 - q) has in row a and column b how often b is met on average after a. From it follow
--   reach    the chance that a path ever meets a node,
--   h        the chance that a path converts after a node; 0 where no step leads on to a conversion,
--   ends     the chance that the next step out of a node is a conversion,
--   p        the chance that a path converts; null where none starts.
-- Unprompted conversions are outside the chain. Of more than 300 nodes the 299 with the most steps in stay, the others are (other).
CREATE FUNCTION tutti.path_chain(goal text, from_month date, to_month date, segment text, OUT nodes text[], OUT steps_in bigint[],
    OUT sends bigint[], OUT starts bigint, OUT path_conversions bigint, OUT unprompted bigint, OUT p double precision,
    OUT reach double precision[], OUT h double precision[], OUT ends double precision[], OUT inverse double precision[])
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    begins double precision[]; -- chance that a path begins at a node
    m double precision[];      -- (1 - q) row by row, which becomes its inverse in place
    n integer;
    pivot double precision;
    row_of_k double precision[];
    factor double precision;
    cell integer;
    visits double precision;
BEGIN
    WITH RECURSIVE named AS (
        SELECT s.from_node, s.to_node, sum(s.steps) AS steps, sum(s.sends) AS sends
        FROM tutti.rpt_path_steps AS s
        WHERE s.goal_id = goal AND s.segment_id = segment AND (from_month IS NULL OR s.period_start_date >= from_month)
            AND (to_month IS NULL OR s.period_start_date <= to_month)
        GROUP BY s.from_node, s.to_node
    ), met AS (
        SELECT named.node, sum(named.steps) AS steps_in, row_number() OVER (ORDER BY sum(named.steps) DESC, named.node COLLATE "C") AS place,
               count(*) OVER () AS most
        FROM (SELECT to_node AS node, steps FROM named UNION ALL SELECT from_node, 0 FROM named) AS named
        WHERE named.node NOT IN ('(start)', '(conversion)', '(none)')
        GROUP BY named.node
    ), folded AS (
        SELECT node, CASE WHEN most > 300 AND place >= 300 THEN '(other)' ELSE node END AS shown FROM met
    ), chain AS (
        SELECT coalesce(f.shown, e.from_node) AS from_node, coalesce(t.shown, e.to_node) AS to_node, sum(e.steps)::bigint AS steps, sum(e.sends)::bigint AS sends
        FROM named AS e
        LEFT JOIN folded AS f ON f.node = e.from_node
        LEFT JOIN folded AS t ON t.node = e.to_node
        GROUP BY 1, 2
    ), outward AS (
        SELECT from_node, sum(steps)::double precision AS steps
        FROM chain
        WHERE from_node <> to_node AND NOT (from_node = '(start)' AND to_node = '(conversion)')
        GROUP BY from_node
    ), live AS (
        SELECT from_node AS node FROM chain WHERE to_node = '(conversion)' AND from_node <> '(start)'
        UNION
        SELECT e.from_node FROM chain AS e JOIN live AS l ON l.node = e.to_node WHERE e.from_node <> '(start)'
    ), numbered AS (
        SELECT s.node, row_number() OVER (ORDER BY s.node COLLATE "C") AS number, EXISTS (SELECT FROM live AS l WHERE l.node = s.node) AS is_live
        FROM (SELECT DISTINCT shown AS node FROM folded) AS s
    ), places AS (
        SELECT a.number, a.node, coalesce(sum(e.steps), 0)::bigint AS steps_in, coalesce(sum(e.sends), 0)::bigint AS sends,
               coalesce(sum(e.steps) FILTER (WHERE e.from_node = '(start)') / max(o.steps), 0) AS begins
        FROM numbered AS a
        LEFT JOIN chain AS e ON e.to_node = a.node
        LEFT JOIN outward AS o ON o.from_node = '(start)'
        GROUP BY a.number, a.node
    ), pairs AS (
        SELECT a.number AS i, b.number AS j, CASE WHEN a.number = b.number THEN 1 WHEN a.is_live THEN -coalesce(e.steps / o.steps, 0) ELSE 0 END AS value
        FROM numbered AS a
        CROSS JOIN numbered AS b
        LEFT JOIN chain AS e ON e.from_node = a.node AND e.to_node = b.node
        LEFT JOIN outward AS o ON o.from_node = a.node
    )
    SELECT (SELECT array_agg(a.node ORDER BY a.number) FROM places AS a), (SELECT array_agg(a.steps_in ORDER BY a.number) FROM places AS a),
           (SELECT array_agg(a.sends ORDER BY a.number) FROM places AS a), (SELECT array_agg(a.begins ORDER BY a.number) FROM places AS a),
           (SELECT array_agg(coalesce(e.steps / o.steps, 0) ORDER BY a.number)
            FROM numbered AS a
            LEFT JOIN chain AS e ON e.from_node = a.node AND e.to_node = '(conversion)'
            LEFT JOIN outward AS o ON o.from_node = a.node),
           (SELECT array_agg(value::double precision ORDER BY i, j) FROM pairs),
           (SELECT sum(o.steps)::bigint FROM outward AS o WHERE o.from_node = '(start)'),
           (SELECT coalesce(sum(e.steps), 0) FROM chain AS e WHERE e.to_node = '(conversion)' AND e.from_node <> '(start)'),
           (SELECT coalesce(sum(e.steps) FILTER (WHERE e.from_node = '(start)' AND e.to_node = '(conversion)'), 0) FROM chain AS e HAVING count(*) > 0)
    INTO nodes, steps_in, sends, begins, ends, m, starts, path_conversions, unprompted;

    n := coalesce(cardinality(nodes), 0);
    FOR k IN 1..n LOOP
        pivot := m[(k - 1) * n + k];
        m[(k - 1) * n + k] := 1;
        cell := (k - 1) * n;
        FOR j IN 1..n LOOP
            cell := cell + 1;
            m[cell] := m[cell] / pivot;
            row_of_k[j] := m[cell];
        END LOOP;
        FOR i IN 1..n LOOP
            cell := (i - 1) * n;
            factor := m[cell + k];
            CONTINUE WHEN i = k OR factor = 0;
            m[cell + k] := 0;
            FOR j IN 1..n LOOP
                cell := cell + 1;
                m[cell] := m[cell] - factor * row_of_k[j];
            END LOOP;
        END LOOP;
    END LOOP;

    inverse := m;
    IF starts > 0 THEN
        p := 0;
    END IF;
    FOR i IN 1..n LOOP
        h[i] := 0;
        visits := 0;
        FOR j IN 1..n LOOP
            h[i] := h[i] + m[(i - 1) * n + j] * ends[j];
            visits := visits + begins[j] * m[(j - 1) * n + i];
        END LOOP;
        reach[i] := visits / m[(i - 1) * n + i];
        p := p + begins[i] * h[i];
    END LOOP;
END $$;
COMMENT ON FUNCTION tutti.path_chain(text, date, date, text) IS 'The paths to a goal as a Markov chain; nothing but nulls and zeros where there are no steps.';

-- Removing a node means: what enters it is lost. That loses the chance to meet it, times the chance to convert after it.
CREATE FUNCTION tutti.influence(goal text, from_month date DEFAULT NULL, to_month date DEFAULT NULL, segment text DEFAULT '(all)')
RETURNS TABLE (node text, steps_in bigint, sends bigint, removal_effect numeric, influence numeric, expected_loss numeric,
               path_conversions bigint, unprompted_conversions bigint, p numeric)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH chain AS MATERIALIZED (
        SELECT * FROM tutti.path_chain(goal, from_month, to_month, segment)
    ), effects AS (
        SELECT n.node, n.steps_in, n.sends, CASE WHEN c.p > 0 THEN n.reach * n.h / c.p END AS effect, c.starts * n.reach * n.h AS loss
        FROM chain AS c
        CROSS JOIN LATERAL unnest(c.nodes, c.steps_in, c.sends, c.reach, c.h) AS n (node, steps_in, sends, reach, h)
    ), nodes AS (
        SELECT node, steps_in, sends, effect, effect / nullif(sum(effect) OVER (), 0) AS part, loss FROM effects
    )
    SELECT n.node, n.steps_in, n.sends, round(n.effect::numeric, 6), round(coalesce(c.path_conversions * n.part, 0)::numeric, 6),
           round(coalesce(n.loss, 0)::numeric, 6), c.path_conversions, c.unprompted, round(c.p::numeric, 6)
    FROM chain AS c CROSS JOIN nodes AS n
    UNION ALL
    SELECT '(unprompted)', 0, 0, NULL, c.unprompted, 0, c.path_conversions, c.unprompted, round(c.p::numeric, 6)
    FROM chain AS c
    WHERE c.unprompted IS NOT NULL
$$;
COMMENT ON FUNCTION tutti.influence(text, date, date, text) IS 'Influence of each node on a goal, from the steps of whole months (null: all of them) of one segment, as tutti.rpt_influence shows it of a month (convergent).';

-- The same of revenue: a conversion after a node is worth what conversions right after it were worth on average. `worth` of a node is the
-- revenue to come after it on average, so a path that can no longer meet it loses the chance to meet it, times that.
CREATE FUNCTION tutti.influence_value(goal text, from_month date DEFAULT NULL, to_month date DEFAULT NULL, segment text DEFAULT '(all)')
RETURNS TABLE (node text, currency text, removal_effect numeric, influenced_revenue numeric, expected_loss numeric,
               path_revenue numeric, unprompted_revenue numeric)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH chain AS MATERIALIZED (
        SELECT c.*, cardinality(c.nodes) AS size FROM tutti.path_chain(goal, from_month, to_month, segment) AS c
    ), places AS (
        SELECT n.*, n.reach * c.inverse[(n.number - 1) * c.size + n.number] AS visits
        FROM chain AS c
        CROSS JOIN LATERAL unnest(c.nodes, c.reach, c.ends) WITH ORDINALITY AS n (node, reach, ends, number)
    ), ended AS (
        SELECT CASE WHEN s.from_node = '(start)' OR s.from_node = ANY (c.nodes) THEN s.from_node ELSE '(other)' END AS node, s.currency,
               sum(s.steps) AS steps, sum(s.revenue) AS revenue
        FROM chain AS c
        CROSS JOIN tutti.rpt_path_steps AS s
        WHERE s.goal_id = goal AND s.segment_id = segment AND (from_month IS NULL OR s.period_start_date >= from_month)
            AND (to_month IS NULL OR s.period_start_date <= to_month) AND s.to_node = '(conversion)'
        GROUP BY 1, 2
    ), sums AS (
        SELECT currency, coalesce(sum(revenue) FILTER (WHERE node <> '(start)'), 0) AS on_paths,
               coalesce(sum(revenue) FILTER (WHERE node = '(start)'), 0) AS unprompted
        FROM ended
        WHERE currency IS NOT NULL
        GROUP BY currency
    ), means AS (
        SELECT node, currency, (revenue / nullif(sum(steps) OVER (PARTITION BY node), 0))::double precision AS mean FROM ended
    ), rewards AS (
        SELECT p.number, p.visits, m.currency, p.ends * m.mean AS reward FROM means AS m JOIN places AS p ON p.node = m.node WHERE m.currency IS NOT NULL
    ), per_path AS (
        SELECT currency, sum(visits * reward) AS revenue FROM rewards GROUP BY currency
    ), worth AS (
        SELECT (m.cell - 1) / c.size + 1 AS number, r.currency, sum(m.value * r.reward) AS revenue
        FROM chain AS c
        CROSS JOIN LATERAL unnest(c.inverse) WITH ORDINALITY AS m (value, cell)
        JOIN rewards AS r ON r.number = (m.cell - 1) % c.size + 1
        GROUP BY 1, 2
    ), effects AS (
        SELECT p.node, s.currency, p.reach * coalesce(w.revenue, 0) AS lost,
               CASE WHEN y.revenue > 0 THEN p.reach * coalesce(w.revenue, 0) / y.revenue END AS effect
        FROM places AS p
        CROSS JOIN sums AS s
        LEFT JOIN per_path AS y ON y.currency = s.currency
        LEFT JOIN worth AS w ON w.number = p.number AND w.currency = s.currency
    ), parts AS (
        SELECT *, effect / nullif(sum(effect) OVER (PARTITION BY currency), 0) AS part FROM effects
    )
    SELECT p.node, p.currency, round(p.effect::numeric, 6), round(coalesce(s.on_paths::double precision * p.part, 0)::numeric, 6),
           round(CASE WHEN p.effect IS NULL THEN 0 ELSE c.starts * p.lost END::numeric, 6), s.on_paths, s.unprompted
    FROM parts AS p JOIN sums AS s ON s.currency = p.currency CROSS JOIN chain AS c
    UNION ALL
    SELECT '(unprompted)', s.currency, NULL, s.unprompted, 0, s.on_paths, s.unprompted FROM sums AS s
$$;
COMMENT ON FUNCTION tutti.influence_value(text, date, date, text) IS 'Influence of each node on the revenue of a goal, as tutti.rpt_influence_value shows it of a month (convergent).';

-- Which nodes to stop so that at most this share of all sends is saved: again and again the one whose loss, together with what is stopped
-- already, grows least per send. Not the best choice of all, but one that can be explained.
CREATE FUNCTION tutti.influence_stops(goal text, share numeric, from_month date DEFAULT NULL, to_month date DEFAULT NULL, segment text DEFAULT '(all)')
RETURNS TABLE (step integer, node text, sends bigint, sends_saved bigint, expected_loss numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    c record;
    n integer;
    m double precision[];
    visits double precision[]; -- how often a path meets a node on average, with the stopped ones gone
    h double precision[];
    most numeric;
    lost double precision := 0;
    best integer;
    growth numeric;
    least numeric;
    own double precision;
    row_of_best double precision[];
    factor double precision;
    cell integer;
BEGIN
    SELECT * INTO c FROM tutti.path_chain(goal, from_month, to_month, segment);
    n := coalesce(cardinality(c.nodes), 0);
    m := c.inverse;
    h := c.h;
    most := share * (SELECT sum(s) FROM unnest(c.sends) AS s);
    FOR i IN 1..n LOOP
        visits[i] := c.reach[i] * m[(i - 1) * n + i];
    END LOOP;
    step := 0;
    sends_saved := 0;
    LOOP
        best := NULL;
        FOR i IN 1..n LOOP
            CONTINUE WHEN c.sends[i] = 0 OR sends_saved + c.sends[i] > most OR c.nodes[i] = '(other)';
            growth := round((c.starts * visits[i] * h[i] / m[(i - 1) * n + i])::numeric, 6) / c.sends[i];
            IF best IS NULL OR growth < least THEN
                best := i;
                least := growth;
            END IF;
        END LOOP;
        EXIT WHEN best IS NULL;
        step := step + 1;
        node := c.nodes[best];
        sends := c.sends[best];
        sends_saved := sends_saved + sends;
        -- What went through this node no longer comes.
        c.sends[best] := 0;
        own := m[(best - 1) * n + best];
        FOR j IN 1..n LOOP
            row_of_best[j] := m[(best - 1) * n + j] / own;
        END LOOP;
        FOR i IN 1..n LOOP
            cell := (i - 1) * n;
            factor := m[cell + best];
            CONTINUE WHEN i = best OR factor = 0;
            h[i] := h[i] - factor / own * h[best];
            FOR j IN 1..n LOOP
                cell := cell + 1;
                m[cell] := m[cell] - factor * row_of_best[j];
            END LOOP;
        END LOOP;
        lost := lost + coalesce(c.starts * visits[best] * h[best] / own, 0);
        expected_loss := round(lost::numeric, 6);
        factor := visits[best];
        FOR j IN 1..n LOOP
            visits[j] := visits[j] - factor * row_of_best[j];
        END LOOP;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION tutti.influence_stops(text, numeric, date, date, text) IS 'Nodes with sends that may be stopped to save at most a share of all sends, in the order of their loss per send, with the expected loss of all so far (convergent).';

CREATE VIEW tutti.rpt_influence AS
SELECT k.period_start_date, k.goal_id, k.segment_id, i.node, i.steps_in, i.sends, i.removal_effect, i.influence, i.expected_loss,
       i.path_conversions, i.unprompted_conversions, i.p
FROM (
    SELECT DISTINCT period_start_date, goal_id, segment_id
    FROM tutti.rpt_path_steps
    WHERE period_start_date + interval '1 month' <= (SELECT today FROM tutti_meta.active)
) AS k
CROSS JOIN LATERAL tutti.influence(k.goal_id, k.period_start_date, k.period_start_date, k.segment_id) AS i;
COMMENT ON VIEW tutti.rpt_influence IS 'Influence of each node on a goal in each month that is over; for other periods ask tutti.influence. Key: period_start_date, goal_id, segment_id, node (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.period_start_date IS 'First day of the month (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.goal_id IS 'The goal (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.segment_id IS '(all) = everybody, or a segment that the customer was in before the first touch of the path (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.node IS 'Campaign, kind or channel of touches; (unprompted) = conversions without a touch before them; (other) = the rest of more than 300 (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.steps_in IS 'Touches there (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.sends IS 'Those of them that were sent to customers (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.removal_effect IS 'Share of the conversions on paths that is lost at most without the node; null where no path converts (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.influence IS 'Conversions on paths, shared out by removal_effect; with (unprompted) they add up to all conversions (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.expected_loss IS 'Conversions that are lost at most if the node is stopped: everybody who met it would be lost (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.path_conversions IS 'Conversions on paths of the month: the same in all its rows (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.unprompted_conversions IS 'Conversions without a path: the same in all rows (convergent).';
COMMENT ON COLUMN tutti.rpt_influence.p IS 'Chance that a path that begins converts: the same in all rows; null where none begins (convergent).';
GRANT SELECT ON tutti.rpt_influence TO tutti_reader;

CREATE VIEW tutti.rpt_influence_value AS
SELECT k.period_start_date, k.goal_id, k.segment_id, i.node, i.currency, i.removal_effect, i.influenced_revenue, i.expected_loss,
       i.path_revenue, i.unprompted_revenue
FROM (
    SELECT DISTINCT period_start_date, goal_id, segment_id
    FROM tutti.rpt_path_steps
    WHERE period_start_date + interval '1 month' <= (SELECT today FROM tutti_meta.active)
) AS k
CROSS JOIN LATERAL tutti.influence_value(k.goal_id, k.period_start_date, k.period_start_date, k.segment_id) AS i;
COMMENT ON VIEW tutti.rpt_influence_value IS 'Influence of each node on the revenue of a goal in each month that is over; for other periods ask tutti.influence_value. Key: period_start_date, goal_id, segment_id, node, currency (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.period_start_date IS 'First day of the month (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.goal_id IS 'The goal (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.segment_id IS '(all) = everybody, or a segment that the customer was in before the first touch of the path (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.node IS 'As in rpt_influence (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.currency IS 'Currency of the conversions: never add up several (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.removal_effect IS 'Share of the revenue on paths that is lost at most without the node; null where paths earn nothing (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.influenced_revenue IS 'Revenue on paths, shared out by removal_effect; with (unprompted) it adds up to all revenue of the goal (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.expected_loss IS 'Revenue that is lost at most if the node is stopped: everybody who met it would be lost (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.path_revenue IS 'Revenue of conversions on paths of the month: the same in all rows of the currency (convergent).';
COMMENT ON COLUMN tutti.rpt_influence_value.unprompted_revenue IS 'Revenue of conversions without a path: the same in all rows of the currency (convergent).';
GRANT SELECT ON tutti.rpt_influence_value TO tutti_reader;
