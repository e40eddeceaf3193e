-- Where customers were, as far as the stored touchpoints say: the time zones of their devices, by the names of the active generation.
-- Whose place is new comes to the map of the ledger. Days of rows that are there become wider.
WITH told AS MATERIALIZED (
    SELECT f.anchor, z.name, min((f.occurred_at AT TIME ZONE 'UTC')::date) AS first_day, max((f.occurred_at AT TIME ZONE 'UTC')::date) AS last_day
    FROM journey.facts AS f
    JOIN tutti_meta.generations AS g ON g.is_active
    JOIN tutti_meta.zones AS z ON z.zones = g.zones AND z.code = f.zone
    WHERE f.anchor <> 0
    GROUP BY f.anchor, z.name
), map AS (
    INSERT INTO suppression.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT a.anchor, a.profile, a.version, a.anchor_id, a.profile_id
    FROM (SELECT DISTINCT anchor FROM told) AS t
    JOIN journey.anchors AS a USING (anchor)
    ON CONFLICT DO NOTHING
)
INSERT INTO suppression.places AS p (anchor, kind, value, first_day, last_day)
SELECT anchor, 1, name, first_day, last_day FROM told
ON CONFLICT (anchor, kind, value) DO UPDATE
SET first_day = least(p.first_day, excluded.first_day), last_day = greatest(p.last_day, excluded.last_day)
WHERE p.first_day > excluded.first_day OR p.last_day < excluded.last_day
