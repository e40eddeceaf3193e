-- The last contact decisions, newest first.
SELECT to_char(requested_at, 'YYYY-MM-DD HH24:MI:SS'), channel, department, verdict, reason, rule_id, outcome, request_id::text
FROM tutti.fct_contact_decisions
WHERE profile_id = $1
ORDER BY requested_at DESC, request_id DESC
LIMIT 15
