-- Contacts that were granted to the touched profiles and are still to be made.
SELECT d.request_id::text, m.before::text, m.after::text, d.channel, d.department, to_char(d.planned_at, 'YYYY-MM-DD HH24:MI:SS'),
       to_char(d.expires_at, 'YYYY-MM-DD HH24:MI:SS')
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (identifier_id, before, after)
JOIN suppression.decisions AS d ON d.anchor = tutti_meta.short_key(m.identifier_id)
WHERE d.verdict = 1 AND d.outcome = 0 AND d.expires_at > now()
ORDER BY d.planned_at, d.request_id
LIMIT 100
