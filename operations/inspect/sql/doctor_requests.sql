-- Requests that named no address of their channel, of about a million decisions, on channels that have addresses ($1: lists of them,
-- separated by blanks): by channel and department, the most frequent first.
SELECT d.channel, coalesce(d.department, '-'), count(*)
FROM suppression.decisions AS d
    TABLESAMPLE SYSTEM ((SELECT least(100, 100000000 / greatest(reltuples, 1)) FROM pg_class WHERE oid = 'suppression.decisions'::regclass))
JOIN suppression.facts AS f ON f.anchor = d.anchor AND f.occurred_at = d.requested_at AND f.event_id = d.request_id
WHERE d.verdict = 1 AND f.addresses IS NULL AND d.channel = ANY (string_to_array(array_to_string($1::text[], ' '), ' '))
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT 8
