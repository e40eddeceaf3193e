-- Segments: what the policies name, who is in them and since when, and how many.

CREATE VIEW tutti.dim_segments AS
SELECT segment_id, title, owner, has_figures
FROM journey.segments
WHERE generation = (SELECT generation FROM tutti_meta.active);
COMMENT ON VIEW tutti.dim_segments IS 'Segments of the active policies. Key: segment_id (chronicle).';
COMMENT ON COLUMN tutti.dim_segments.segment_id IS 'The segment (chronicle).';
COMMENT ON COLUMN tutti.dim_segments.title IS 'Title (chronicle).';
COMMENT ON COLUMN tutti.dim_segments.owner IS 'Who is responsible for it (chronicle).';
COMMENT ON COLUMN tutti.dim_segments.has_figures IS 'It is a segment_id of the reports (chronicle).';
GRANT SELECT ON tutti.dim_segments TO tutti_reader;

-- Bytes of a state: journey_lapses_pack.
CREATE VIEW journey.lapses AS
SELECT s.profile, tutti_meta.be_int8(s.packed, 0) AS anchor, tutti_meta.be_uuid(s.packed, 8) AS event_id,
       tutti_meta.be_int4(s.packed, 24 + i * 13) AS segment,
       tutti_meta.from_micros(tutti_meta.be_int8(s.packed, 28 + i * 13)) AS changed_at,
       get_byte(s.packed, 36 + i * 13) = 1 AS is_in
FROM (
    SELECT profile, lapses AS packed
    FROM journey.state_headers
    WHERE lapses IS NOT NULL AND generation = (SELECT number FROM tutti_meta.active)
) AS s
CROSS JOIN LATERAL generate_series(0, (octet_length(s.packed) - 24) / 13 - 1) AS i;
COMMENT ON VIEW journey.lapses IS 'Changes of membership that no row says yet: at the instant of the last touchpoint, and by the passing of time (convergent).';
COMMENT ON COLUMN journey.lapses.profile IS 'Short key of the profile.';
COMMENT ON COLUMN journey.lapses.anchor IS 'Short key of the anchor of the last touchpoint.';
COMMENT ON COLUMN journey.lapses.event_id IS 'Id of the last touchpoint.';
COMMENT ON COLUMN journey.lapses.segment IS 'Code of the segment.';
COMMENT ON COLUMN journey.lapses.changed_at IS 'When it takes effect.';
COMMENT ON COLUMN journey.lapses.is_in IS 'The customer enters the segment; else leaves it.';

CREATE VIEW journey.membership_changes AS
SELECT a.profile_id, m.segment, m.changed_at, m.is_in, m.event_id, m.loaded_at
FROM active.memberships AS m
JOIN journey.anchors AS a USING (anchor)
UNION ALL
SELECT a.profile_id, l.segment, l.changed_at, l.is_in, l.event_id, l.changed_at
FROM journey.lapses AS l
JOIN journey.anchors AS a ON a.anchor = l.anchor AND a.profile = l.profile;
COMMENT ON VIEW journey.membership_changes IS 'All changes of membership, also those that the passing of time will bring (convergent).';
COMMENT ON COLUMN journey.membership_changes.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.membership_changes.segment IS 'Code of the segment.';
COMMENT ON COLUMN journey.membership_changes.changed_at IS 'When it takes effect.';
COMMENT ON COLUMN journey.membership_changes.is_in IS 'The customer enters the segment; else leaves it.';
COMMENT ON COLUMN journey.membership_changes.event_id IS 'Last touchpoint at or before it.';
COMMENT ON COLUMN journey.membership_changes.loaded_at IS 'When it was stored; else when it takes effect (chronicle).';

CREATE VIEW tutti.fct_segment_memberships AS
WITH paired AS (
    SELECT c.*, lead(c.changed_at) OVER (PARTITION BY c.profile_id, c.segment ORDER BY c.changed_at) AS next_at
    FROM journey.membership_changes AS c
)
SELECT d.value AS segment_id, p.profile_id, p.changed_at AS valid_from_at,
       CASE WHEN p.next_at <= tutti.as_of() THEN p.next_at END AS valid_to_at,
       p.event_id AS touchpoint_id, p.loaded_at
FROM paired AS p
JOIN journey.dictionary AS d ON d.code = p.segment
WHERE p.is_in AND p.changed_at <= tutti.as_of();
COMMENT ON VIEW tutti.fct_segment_memberships IS 'From when until when customers are in segments, up to tutti.as_of(). Key: profile_id, segment_id, valid_from_at (convergent).';
COMMENT ON COLUMN tutti.fct_segment_memberships.segment_id IS 'The segment (convergent).';
COMMENT ON COLUMN tutti.fct_segment_memberships.profile_id IS 'Today''s profile (convergent).';
COMMENT ON COLUMN tutti.fct_segment_memberships.valid_from_at IS 'First instant in the segment (convergent).';
COMMENT ON COLUMN tutti.fct_segment_memberships.valid_to_at IS 'First instant no longer in it; null: still in it at tutti.as_of() (convergent).';
COMMENT ON COLUMN tutti.fct_segment_memberships.touchpoint_id IS 'Last touchpoint at or before valid_from_at (convergent).';
COMMENT ON COLUMN tutti.fct_segment_memberships.loaded_at IS 'When it was stored; of what the last touchpoint or the passing of time brought, when it took effect (chronicle).';
GRANT SELECT ON tutti.fct_segment_memberships TO tutti_reader;

CREATE VIEW journey.profile_tiers AS
SELECT DISTINCT ON (m.profile_id) m.profile_id, t.tier
FROM (
    SELECT DISTINCT ON (c.profile_id, c.segment) c.profile_id, c.segment, c.is_in
    FROM journey.membership_changes AS c
    WHERE c.changed_at <= tutti.as_of() AND c.segment IN (
        SELECT d.code FROM journey.tiers AS t JOIN journey.dictionary AS d ON d.value = t.segment_id
        WHERE t.generation = (SELECT generation FROM tutti_meta.active)
    )
    ORDER BY c.profile_id, c.segment, c.changed_at DESC
) AS m
JOIN journey.dictionary AS d ON d.code = m.segment
JOIN journey.tiers AS t ON t.segment_id = d.value AND t.generation = (SELECT generation FROM tutti_meta.active)
WHERE m.is_in
ORDER BY m.profile_id, t.position;
COMMENT ON VIEW journey.profile_tiers IS 'Of each customer the first tier whose segment it is in at tutti.as_of() (convergent).';
COMMENT ON COLUMN journey.profile_tiers.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN journey.profile_tiers.tier IS 'The tier.';

CREATE VIEW tutti.rpt_segments_daily AS
WITH changes AS MATERIALIZED (
    SELECT day, segment_id, change, entries, exits
    FROM metrics.segments
    WHERE day <= (SELECT today FROM tutti_meta.active) AND (change <> 0 OR entries <> 0 OR exits <> 0)
), shown AS (
    SELECT d.day, s.segment_id, coalesce(c.change, 0) AS change, coalesce(c.entries, 0) AS entries, coalesce(c.exits, 0) AS exits
    FROM (SELECT DISTINCT day FROM changes) AS d
    JOIN (SELECT segment_id, min(day) AS first_day FROM changes GROUP BY segment_id) AS s ON s.first_day <= d.day
    LEFT JOIN changes AS c ON c.day = d.day AND c.segment_id = s.segment_id
)
SELECT day AS segment_date, segment_id,
       (sum(change) OVER (PARTITION BY segment_id ORDER BY day))::bigint AS customers,
       entries::bigint AS entries,
       exits::bigint AS exits
FROM shown;
COMMENT ON VIEW tutti.rpt_segments_daily IS 'Customers per segment and day, for the days on which any customer entered or left a segment. Key: segment_date, segment_id (convergent).';
COMMENT ON COLUMN tutti.rpt_segments_daily.segment_date IS 'Day in the reporting zone; a day without a row is like the last one that has one (convergent).';
COMMENT ON COLUMN tutti.rpt_segments_daily.segment_id IS 'The segment (convergent).';
COMMENT ON COLUMN tutti.rpt_segments_daily.customers IS 'Customers in the segment at the end of the day: never add up days or segments (convergent).';
COMMENT ON COLUMN tutti.rpt_segments_daily.entries IS 'Times that a customer entered the segment that day: may be added up over days (convergent).';
COMMENT ON COLUMN tutti.rpt_segments_daily.exits IS 'Times that a customer left the segment that day: may be added up over days (convergent).';
GRANT SELECT ON tutti.rpt_segments_daily TO tutti_reader;
