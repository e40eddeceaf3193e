-- Contact decisions by verdict and reason.
SELECT verdict, coalesce(reason, '(none)'), coalesce(rule_id, ''), to_char(count(*), 'FM999,999,999,990')
FROM tutti.fct_contact_decisions
GROUP BY verdict, reason, rule_id
ORDER BY count(*) DESC, verdict, reason, rule_id
