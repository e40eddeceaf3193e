-- $1 generation; then one array per column; $5 who approves more.
INSERT INTO journey.gesture_limits (generation, currency, per_case_micros, per_agent_month_micros, approver)
SELECT $1, u.*, $5
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u
