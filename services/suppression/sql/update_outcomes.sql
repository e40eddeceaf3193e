UPDATE suppression.decisions d
SET outcome = greatest(d.outcome, u.outcome),
    outcome_at = CASE WHEN u.outcome > d.outcome THEN u.outcome_at ELSE d.outcome_at END,
    outcome_cause = coalesce(CASE WHEN u.outcome > d.outcome THEN u.outcome_cause END, d.outcome_cause),
    sent_at = least(d.sent_at, u.sent_at)
FROM unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::text[], $5::timestamptz[])
    AS u (request_id, outcome, outcome_at, outcome_cause, sent_at)
WHERE d.request_id = u.request_id AND (u.outcome > d.outcome AND (u.outcome > 1 OR d.claimed_at IS NULL) OR u.sent_at < coalesce(d.sent_at, 'infinity'))
RETURNING d.request_id
