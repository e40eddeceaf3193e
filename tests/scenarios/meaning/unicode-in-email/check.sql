-- as_of: 2026-12-15T00:00:00Z
-- who belongs together
SELECT min(first_seen_at) AS first_seen_at, string_agg(type, ' ' ORDER BY first_seen_at, type) AS types, bool_or(is_quarantined) AS is_quarantined
FROM tutti.dim_identifiers
GROUP BY profile_id
ORDER BY first_seen_at, types;
