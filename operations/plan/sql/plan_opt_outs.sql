-- Of which profiles would a side lose an opt-out: the last word on some channel is no, and among the facts of the side's identifiers it
-- is not. `*` stands for every channel that nobody named. No side: an identifier that is nobody's afterwards.
WITH members AS (
    SELECT m.identifier_id, m.before, nullif(m.side, '00000000-0000-0000-0000-000000000000') AS side
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (identifier_id, before, side)
), words AS (
    SELECT m.before, m.side, f.occurred_at, f.event_id, (f.flags & 4) <> 0 AS is_copy, left(w.word, 1) AS sign,
           substr(w.word, 2) AS channel
    FROM members AS m
    JOIN suppression.facts AS f ON f.anchor = tutti_meta.short_key(m.identifier_id)
    CROSS JOIN LATERAL string_to_table(f.consent, ' ') AS w (word)
    WHERE f.consent IS NOT NULL AND w.word <> ''
), said AS ( -- by a touchpoint of a channel: its own word before that for all; an opt-in of a copy is somebody else's
    SELECT * FROM (
        SELECT DISTINCT ON (w.before, w.side, c.channel, w.occurred_at, w.event_id, w.is_copy)
               w.before, w.side, c.channel, w.occurred_at, w.event_id, w.is_copy, w.sign
        FROM (SELECT DISTINCT before, channel FROM words) AS c
        JOIN words AS w ON w.before = c.before AND w.channel IN (c.channel, '*')
        ORDER BY w.before, w.side, c.channel, w.occurred_at, w.event_id, w.is_copy, w.channel = c.channel DESC
    ) AS s
    WHERE s.sign = '-' OR NOT s.is_copy
), last_of_whole AS (
    SELECT DISTINCT ON (before, channel) before, channel, sign
    FROM said
    ORDER BY before, channel, occurred_at DESC, event_id DESC, is_copy
), last_of_side AS (
    SELECT DISTINCT ON (before, side, channel) before, side, channel, sign
    FROM said
    ORDER BY before, side, channel, occurred_at DESC, event_id DESC, is_copy
)
SELECT DISTINCT w.before
FROM last_of_whole AS w
JOIN (SELECT DISTINCT before, side FROM members WHERE side IS NOT NULL) AS s USING (before)
LEFT JOIN last_of_side AS l USING (before, side, channel)
WHERE w.sign = '-' AND l.sign IS DISTINCT FROM '-'
