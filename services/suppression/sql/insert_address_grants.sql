INSERT INTO suppression.address_grants (address, request_id, expires_at)
SELECT unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::timestamptz[])
ON CONFLICT DO NOTHING
