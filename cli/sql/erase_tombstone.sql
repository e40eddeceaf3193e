-- From here on, touchpoints of these identifiers up to now are dropped wherever they come again; and up to the last that is
-- stored: occurred_at may lie a day ahead.
INSERT INTO identity.erased (identifier_id, erased_at)
SELECT m.identifier_id, greatest(now(), max(f.occurred_at) OVER ())
FROM unnest($1::uuid[]) AS m (identifier_id)
LEFT JOIN LATERAL (
    SELECT occurred_at FROM journey.facts WHERE anchor = tutti_meta.short_key(m.identifier_id) ORDER BY occurred_at DESC LIMIT 1
) AS f ON true
ON CONFLICT (identifier_id) DO UPDATE SET erased_at = greatest(identity.erased.erased_at, excluded.erased_at)
