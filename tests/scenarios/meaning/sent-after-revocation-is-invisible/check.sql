-- as_of: 2026-12-15T00:00:00Z
-- the decision
SELECT verdict, outcome, outcome_at, outcome_cause, is_sent_anyway, is_late_send
FROM tutti.fct_contact_decisions
ORDER BY requested_at;
