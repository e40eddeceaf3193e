-- Which of these profiles hold an opt-out: the last word on some channel is no, and no later yes was for all.
WITH words AS (
    SELECT p.profile_id, left(w.word, 1) AS sign, substr(w.word, 2) AS channel, f.occurred_at, f.event_id
    FROM unnest($1::uuid[]) AS p (profile_id)
    JOIN suppression.anchors AS a ON a.profile = tutti_meta.short_key(p.profile_id)
    JOIN suppression.facts AS f USING (anchor)
    CROSS JOIN LATERAL string_to_table(f.consent, ' ') AS w (word)
    WHERE f.consent IS NOT NULL AND w.word <> ''
), newest AS (
    SELECT DISTINCT ON (profile_id, channel) profile_id, channel, sign, occurred_at, event_id
    FROM words
    ORDER BY profile_id, channel, occurred_at DESC, event_id DESC
)
SELECT DISTINCT n.profile_id
FROM newest AS n
LEFT JOIN newest AS of_all ON of_all.profile_id = n.profile_id AND of_all.channel = '*' AND of_all.sign = '+'
WHERE n.sign = '-' AND (n.channel = '*' OR of_all.profile_id IS NULL
                        OR (of_all.occurred_at, of_all.event_id) < (n.occurred_at, n.event_id))
