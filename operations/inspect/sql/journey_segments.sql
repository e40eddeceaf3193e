-- The segments of the active policies.
SELECT segment_id FROM tutti.dim_segments
