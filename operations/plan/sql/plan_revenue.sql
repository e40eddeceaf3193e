-- Conversions of these profiles and their revenue, by currency.
SELECT coalesce(s.currency, ''), count(*),
       greatest(-9223372036854775807, least(9223372036854775807, sum(coalesce(f.value_micros, 0))))::bigint
FROM unnest($1::uuid[]) AS p (profile_id)
JOIN journey.anchors AS a ON a.profile = tutti_meta.short_key(p.profile_id)
JOIN journey.conversions AS c USING (anchor)
JOIN journey.facts AS f USING (anchor, occurred_at, event_id)
JOIN journey.shapes AS s USING (shape)
GROUP BY s.currency
