-- Of contacts, numbered by $1, of customers $2 at times $3, with campaigns $4 and requests $5: when the customer first answered
-- (an inbound touch of the campaign, or that names the request), and whether he converted within $6 microseconds.
WITH asked AS MATERIALIZED (
    SELECT w.place, w.profile_id, w.at, w.campaign_id, w.request_id::text AS request_id
    FROM unnest($1::integer[], $2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[]) AS w (place, profile_id, at, campaign_id, request_id)
), customers AS MATERIALIZED (
    SELECT profile_id, min(at) AS first_at FROM asked GROUP BY profile_id
), touches AS MATERIALIZED (
    SELECT c.profile_id, t.occurred_at, t.campaign_id, t.decision_id
    FROM customers AS c
    CROSS JOIN LATERAL (
        SELECT f.occurred_at, s.campaign_id, f.decision_id
        FROM journey.anchors AS a
        JOIN journey.facts AS f USING (anchor)
        JOIN active.shapes AS s USING (shape)
        WHERE a.profile_id = c.profile_id AND a.version % 2 = 0 AND s.is_touch AND s.shown_direction = 'inbound'
          AND (s.campaign_id IS NOT NULL OR f.decision_id IS NOT NULL)
    ) AS t
    WHERE t.occurred_at > c.first_at
), conversions AS MATERIALIZED (
    SELECT c.profile_id, k.converted_at
    FROM customers AS c
    CROSS JOIN LATERAL (SELECT f.converted_at FROM tutti.fct_conversions AS f WHERE f.profile_id = c.profile_id AND f.is_counted) AS k
    WHERE k.converted_at > c.first_at
), answers AS (
    SELECT a.place, min(t.occurred_at) AS at
    FROM asked AS a
    JOIN touches AS t ON t.profile_id = a.profile_id AND t.occurred_at > a.at AND (t.campaign_id = a.campaign_id OR t.decision_id = a.request_id)
    GROUP BY a.place
), converted AS (
    SELECT DISTINCT a.place
    FROM asked AS a
    JOIN conversions AS k
        ON k.profile_id = a.profile_id AND k.converted_at > a.at AND k.converted_at <= a.at + $6::bigint * interval '1 microsecond'
)
SELECT a.place, n.at, c.place IS NOT NULL
FROM asked AS a
LEFT JOIN answers AS n USING (place)
LEFT JOIN converted AS c USING (place)
ORDER BY a.place
