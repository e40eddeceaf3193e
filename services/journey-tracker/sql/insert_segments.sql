-- $1 generation; then one array per column.
INSERT INTO journey.segments (generation, segment_id, title, owner, has_figures)
SELECT $1, u.*
FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) AS u
