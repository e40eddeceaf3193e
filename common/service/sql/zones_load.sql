-- The time zones of one version ($1).
SELECT code, name, coalesce(alias_of, 0::smallint), coalesce(first_offset, 0), coalesce(changed_at, '{}'), coalesce(offsets, '{}')
FROM tutti_meta.zones
WHERE zones = $1
