-- Where customers go after a touch; docs/analysts.md shows this to all who query. Step 0 are the touches that are started from.
-- $1 their node, or (start): the beginnings of journeys; $2, $3 their first and last day, or null; $4 a segment that the customer is in
-- at their time, or null; $5 microseconds from a touch to the next one at most; $6 the steps that are shown, up to five;
-- $7 kinds of touch per step at most.
-- No rows are joined whose number a planner can guess wrongly: steps are read ahead in the one order.
WITH asked AS NOT MATERIALIZED (
    SELECT $1::text AS start_node, $2::date AS first_day, $3::date AS last_day, $4::text AS segment,
           $5::bigint * interval '1 microsecond' AS within, $6::integer[] AS steps, $7::integer AS most_kinds
), members AS MATERIALIZED (
    SELECT profile_id, range_agg(tstzrange(valid_from_at, valid_to_at)) AS inside
    FROM tutti.fct_segment_memberships
    WHERE segment_id = (SELECT segment FROM asked)
    GROUP BY profile_id
), touches AS (
    -- All profiles one after the other; the wait of a profile's first touch is null.
    SELECT profile_id, occurred_at, instant_rank, touchpoint_id, node,
           (first_day IS NULL OR occurred_date >= first_day) AND (last_day IS NULL OR occurred_date <= last_day)
           AND (segment IS NULL OR coalesce(inside @> occurred_at, false)) AS fits,
           CASE WHEN lag(profile_id) OVER journeys = profile_id THEN occurred_at - lag(occurred_at) OVER journeys END AS wait
    FROM tutti.fct_touchpoints
    LEFT JOIN members USING (profile_id)
    CROSS JOIN asked
    WHERE node IS NOT NULL
    WINDOW journeys AS (ORDER BY profile_id, occurred_at, instant_rank, touchpoint_id)
), paths AS (
    -- A path is a run of touches of one profile, each at most `within` after the one before.
    SELECT profile_id, occurred_at, instant_rank, touchpoint_id, node, fits, floor(extract(epoch FROM wait))::bigint AS wait,
           count(*) FILTER (WHERE wait IS NULL) OVER journeys AS profile,
           count(*) FILTER (WHERE wait IS NULL OR wait > within) OVER journeys AS path,
           wait IS NULL OR wait > interval '8760 hours' AS opens_journey
    FROM touches CROSS JOIN asked
    WINDOW journeys AS (ORDER BY profile_id, occurred_at, instant_rank, touchpoint_id)
), ahead AS (
    -- The path, node and wait at each step. The last path of a profile is open until its time is over.
    SELECT profile, node, fits, opens_journey, path,
           path = max(path) OVER whole AND max(occurred_at) OVER whole + within > tutti.as_of() AS is_open,
           lead(path, steps[1] - back) OVER journeys AS path_1, lead(node, steps[1] - back) OVER journeys AS node_1, lead(wait, steps[1] - back) OVER journeys AS wait_1,
           lead(path, steps[2] - back) OVER journeys AS path_2, lead(node, steps[2] - back) OVER journeys AS node_2, lead(wait, steps[2] - back) OVER journeys AS wait_2,
           lead(path, steps[3] - back) OVER journeys AS path_3, lead(node, steps[3] - back) OVER journeys AS node_3, lead(wait, steps[3] - back) OVER journeys AS wait_3,
           lead(path, steps[4] - back) OVER journeys AS path_4, lead(node, steps[4] - back) OVER journeys AS node_4, lead(wait, steps[4] - back) OVER journeys AS wait_4,
           lead(path, steps[5] - back) OVER journeys AS path_5, lead(node, steps[5] - back) OVER journeys AS node_5, lead(wait, steps[5] - back) OVER journeys AS wait_5
    FROM paths
    CROSS JOIN (SELECT within, steps, CASE WHEN start_node = '(start)' THEN 1 ELSE 0 END AS back FROM asked) AS asked
    WINDOW journeys AS (ORDER BY profile_id, occurred_at, instant_rank, touchpoint_id), whole AS (PARTITION BY profile_id)
), steps AS MATERIALIZED (
    SELECT a.profile, s.step, CASE WHEN s.path = a.path AND (s.step > 1 OR start_node <> '(start)') THEN s.wait END AS wait,
           CASE WHEN s.step = 0 THEN start_node WHEN s.path = a.path THEN s.node WHEN a.is_open THEN '(open)' ELSE '(end)' END AS node
    FROM ahead AS a
    CROSS JOIN asked
    CROSS JOIN LATERAL (VALUES (0, a.path, a.node, NULL), (steps[1], path_1, node_1, wait_1), (steps[2], path_2, node_2, wait_2), (steps[3], path_3, node_3, wait_3),
                               (steps[4], path_4, node_4, wait_4), (steps[5], path_5, node_5, wait_5)) AS s (step, path, node, wait)
    WHERE a.fits AND s.step IS NOT NULL AND CASE WHEN start_node = '(start)' THEN a.opens_journey ELSE a.node = start_node END
), shown AS (
    SELECT step, (array_agg(node ORDER BY occurrences DESC, node COLLATE "C") FILTER (WHERE node NOT IN ('(open)', '(end)')))[:most_kinds] AS nodes
    FROM (SELECT step, node, count(*) AS occurrences FROM steps GROUP BY step, node) AS kinds CROSS JOIN asked
    GROUP BY step, most_kinds
), sums AS (
    SELECT s.step, p.place, count(DISTINCT s.profile) AS customers, count(*) AS occurrences, percentile_disc(0.5) WITHIN GROUP (ORDER BY s.wait) AS median_seconds
    FROM steps AS s
    CROSS JOIN asked
    JOIN shown USING (step)
    CROSS JOIN LATERAL (SELECT CASE s.node WHEN '(open)' THEN most_kinds + 2 WHEN '(end)' THEN most_kinds + 3
                                           ELSE coalesce(array_position(nodes, s.node), most_kinds + 1) END AS place) AS p
    GROUP BY s.step, p.place
)
SELECT step, CASE place - most_kinds WHEN 1 THEN '(others)' WHEN 2 THEN '(open)' WHEN 3 THEN '(end)' ELSE nodes[place] END AS node, customers, occurrences,
       round(100.0 * occurrences / sum(occurrences) OVER (PARTITION BY step), 1)::text AS share, median_seconds
FROM sums
CROSS JOIN asked
JOIN shown USING (step)
ORDER BY step, place
