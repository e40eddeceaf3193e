INSERT INTO identity.identifiers (identifier_id, profile_id, first_seen_at, version, type)
SELECT unnest($1::uuid[]), unnest($1::uuid[]), unnest($2::timestamptz[]), 0, unnest($3::smallint[])
ON CONFLICT DO NOTHING
RETURNING identifier_id
