-- What may stand as the segment of a figure.
SELECT segment_id FROM tutti.dim_segments WHERE has_figures UNION ALL SELECT '(all)'
