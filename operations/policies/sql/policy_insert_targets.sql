-- One array per column: $1 goal, $2 department, $3 period, $4 date from which it counts, $5 currency, $6 micro-units.
INSERT INTO tutti_meta.goal_targets (goal_id, department, period_kind, from_date, currency, target)
SELECT goal, department, period, starts::date, currency, micros * 0.000001
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) AS u (goal, department, period, starts, currency, micros)
