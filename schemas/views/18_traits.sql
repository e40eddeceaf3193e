-- What is known of customers. What every column means exactly stands in docs/figures.md.

CREATE VIEW journey.profile_traits AS
SELECT c.profile_id, c.trait, c.value, c.source, c.observed_at
FROM (
    SELECT DISTINCT ON (a.profile_id, t.trait) a.profile_id, t.trait, t.value, t.source, t.occurred_at AS observed_at
    FROM journey.traits AS t
    JOIN journey.anchors AS a USING (anchor)
    WHERE a.version % 2 = 0
    ORDER BY a.profile_id, t.trait, t.place DESC
) AS c
WHERE c.value IS NOT NULL;
COMMENT ON VIEW journey.profile_traits IS 'Declared traits of customers: of all that was said, what counts (convergent).';
COMMENT ON COLUMN journey.profile_traits.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.profile_traits.trait IS 'Name of the trait.';
COMMENT ON COLUMN journey.profile_traits.value IS 'Its value as text.';
COMMENT ON COLUMN journey.profile_traits.source IS 'Who said it.';
COMMENT ON COLUMN journey.profile_traits.observed_at IS 'When it was said.';

CREATE VIEW tutti.dim_profile_traits AS
SELECT t.profile_id, t.trait, t.value, t.source, t.observed_at
FROM journey.profile_traits AS t
UNION ALL
SELECT p.profile_id, f.trait, f.value::text, '(computed)', c.last_score_at
FROM (SELECT DISTINCT a.profile_id FROM journey.anchors AS a WHERE a.version % 2 = 0) AS p
JOIN journey.current_states AS c ON c.profile = tutti_meta.short_key(p.profile_id)
CROSS JOIN LATERAL (VALUES ('last_score', c.last_score), ('score_trend_90d', c.score_trend)) AS f (trait, value)
WHERE f.value IS NOT NULL;
COMMENT ON VIEW tutti.dim_profile_traits IS 'Traits of customers: those that traits.json declares, and computed ones (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.trait IS 'Name of the trait (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.value IS 'Its value as text (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.source IS 'Source that said it, or (computed) (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.observed_at IS 'When it was said; of a computed one the newest touchpoint in it (convergent).';
GRANT SELECT ON tutti.dim_profile_traits TO tutti_reader;
