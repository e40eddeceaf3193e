-- What is known of customers. What every column means exactly stands in docs/figures.md.

CREATE VIEW journey.profile_traits AS
SELECT c.profile_id, c.trait, c.value, c.source, c.observed_at
FROM (
    SELECT DISTINCT ON (a.profile_id, t.trait) a.profile_id, t.trait, t.value, t.source, t.occurred_at AS observed_at
    FROM active.traits AS t
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

-- Of a profile's newest 16 answers, those of 90 days.
CREATE VIEW journey.counted_responses AS
SELECT n.profile_id, n.occurred_at, n.place, sent.channel, answered.device_type, n.local_hour
FROM (
    SELECT a.profile_id, r.occurred_at, r.send_shape, r.shape, r.local_hour,
           row_number() OVER newest AS place, max(r.occurred_at) OVER (PARTITION BY a.profile_id) AS newest_at
    FROM active.responses AS r
    JOIN journey.anchors AS a USING (anchor)
    WINDOW newest AS (PARTITION BY a.profile_id ORDER BY r.occurred_at DESC, r.rank DESC, r.event_id DESC, r.anchor DESC)
) AS n
JOIN journey.shapes AS sent ON sent.shape = n.send_shape
JOIN journey.shapes AS answered ON answered.shape = n.shape
WHERE n.place <= 16 AND n.occurred_at >= n.newest_at - interval '90 days';
COMMENT ON VIEW journey.counted_responses IS 'Answers that say what a customer prefers: the newest 16 that are at most 90 days older than the newest (convergent).';
COMMENT ON COLUMN journey.counted_responses.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.counted_responses.occurred_at IS 'When it was answered.';
COMMENT ON COLUMN journey.counted_responses.place IS '1 is the newest.';
COMMENT ON COLUMN journey.counted_responses.channel IS 'Channel of the send.';
COMMENT ON COLUMN journey.counted_responses.device_type IS 'Device of the answer.';
COMMENT ON COLUMN journey.counted_responses.local_hour IS 'Hour of the answer in the zone of the person.';

CREATE VIEW journey.preferences AS
SELECT DISTINCT ON (c.profile_id, c.trait) c.profile_id, c.trait, c.value,
       max(c.newest_at) OVER (PARTITION BY c.profile_id, c.trait) AS observed_at
FROM (
    SELECT r.profile_id, f.trait, f.value, count(*) AS answers, min(r.place) AS place, max(r.occurred_at) AS newest_at
    FROM journey.counted_responses AS r
    CROSS JOIN LATERAL (VALUES ('preferred_channel', r.channel), ('preferred_device', r.device_type), ('preferred_hour', r.local_hour::text)) AS f (trait, value)
    WHERE f.value IS NOT NULL
    GROUP BY r.profile_id, f.trait, f.value
) AS c
ORDER BY c.profile_id, c.trait, c.answers DESC, c.place;
COMMENT ON VIEW journey.preferences IS 'What customers prefer: the most frequent among the answers that count, of equals the newest (convergent).';
COMMENT ON COLUMN journey.preferences.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.preferences.trait IS 'preferred_channel, preferred_device or preferred_hour.';
COMMENT ON COLUMN journey.preferences.value IS 'Its value as text.';
COMMENT ON COLUMN journey.preferences.observed_at IS 'The newest answer that counts for it.';

CREATE VIEW tutti.dim_profile_traits AS
SELECT t.profile_id, t.trait, t.value, t.source, t.observed_at
FROM journey.profile_traits AS t
UNION ALL
SELECT p.profile_id, f.trait, f.value, '(computed)', f.observed_at
FROM (SELECT DISTINCT a.profile_id FROM journey.anchors AS a WHERE a.version % 2 = 0) AS p
JOIN journey.current_states AS c ON c.profile = tutti_meta.short_key(p.profile_id)
LEFT JOIN tutti_meta.active_zone_names AS z ON z.code = c.zone
CROSS JOIN LATERAL (
    VALUES ('last_score', c.last_score::text, c.last_score_at), ('score_trend_90d', c.score_trend::text, c.last_score_at),
           ('timezone', z.name, c.zone_at)
) AS f (trait, value, observed_at)
WHERE f.value IS NOT NULL
UNION ALL
SELECT r.profile_id, r.trait, r.value, '(computed)', r.observed_at
FROM journey.preferences AS r;
COMMENT ON VIEW tutti.dim_profile_traits IS 'Traits of customers: those that traits.json declares, and computed ones (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.trait IS 'Name of the trait (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.value IS 'Its value as text (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.source IS 'Source that said it, or (computed) (convergent).';
COMMENT ON COLUMN tutti.dim_profile_traits.observed_at IS 'When it was said; of a computed one the newest touchpoint in it (convergent).';
GRANT SELECT ON tutti.dim_profile_traits TO tutti_reader;
