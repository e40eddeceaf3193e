INSERT INTO suppression.arms (holdout, anchor, arm, basis_points, assigned_at, request_id)
SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::smallint[]), unnest($4::smallint[]), unnest($5::timestamptz[]),
       unnest($6::uuid[])
ON CONFLICT DO NOTHING
