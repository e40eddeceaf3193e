-- Anchors that may be new, with a state for each profile: of no generation, so that it is derived with all others.
WITH given AS (
    SELECT tutti_meta.short_key(anchor_id) AS anchor, tutti_meta.short_key(profile_id) AS profile, version, anchor_id, profile_id
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS u (anchor_id, profile_id, version)
), added AS (
    INSERT INTO journey.anchors (anchor, profile, version, anchor_id, profile_id)
    SELECT anchor, profile, version, anchor_id, profile_id FROM given ORDER BY anchor
    ON CONFLICT DO NOTHING
)
INSERT INTO journey.states (profile, ver, members, generation, payload)
SELECT DISTINCT profile, 0, 0, 0, '\x00'::bytea FROM given
ON CONFLICT DO NOTHING
