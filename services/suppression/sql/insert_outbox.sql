INSERT INTO suppression.outbox (instance, request_id, kind, lane, profile_id, channel, department, correlation, payload)
SELECT $1, unnest($2::uuid[]), unnest($3::smallint[]), unnest($4::integer[]), unnest($5::uuid[]), unnest($6::text[]),
       unnest($7::text[]), unnest($8::bytea[]), unnest($9::bytea[])
ON CONFLICT DO NOTHING
