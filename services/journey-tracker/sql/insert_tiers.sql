-- $1 generation; then one array per column, in the order of the tiers.
INSERT INTO journey.tiers (generation, position, tier, segment_id)
SELECT $1, u.position, u.tier, u.segment_id
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS u (tier, segment_id, position)
