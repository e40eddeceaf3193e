-- What the model that goals are split by credits to touches $3 (nil: none) of customers $2, added up by $1 and currency, in millionths.
WITH asked AS MATERIALIZED (
    SELECT w.place, w.profile_id, w.touchpoint_id
    FROM unnest($1::integer[], $2::uuid[], $3::uuid[]) AS w (place, profile_id, touchpoint_id)
    WHERE w.touchpoint_id <> '00000000-0000-0000-0000-000000000000'
), credited AS MATERIALIZED (
    SELECT a.touchpoint_id, a.currency, a.attributed_revenue
    FROM tutti.fct_attributions AS a
    WHERE a.profile_id = ANY (ARRAY(SELECT DISTINCT profile_id FROM asked)) AND a.path_length > 0
      AND a.model = (SELECT stored_model FROM tutti_meta.active) AND a.attributed_revenue <> 0
)
SELECT w.place, c.currency, (sum(c.attributed_revenue) * 1000000)::bigint
FROM asked AS w
JOIN credited AS c USING (touchpoint_id)
GROUP BY w.place, c.currency
ORDER BY w.place, c.currency
