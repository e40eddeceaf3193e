-- What the last contact decisions say, newest first.
SELECT to_char(f.requested_at, 'YYYY-MM-DD HH24:MI:SS'), d.verdict, d.outcome, d.reason, d.rule_id, d.rule_owner, d.channel, d.rules, d.expires_at,
       d.retry_at
FROM tutti.fct_contact_decisions AS f
JOIN suppression.decisions AS d USING (request_id)
WHERE f.profile_id = $1
ORDER BY f.requested_at DESC, request_id DESC
LIMIT 15
