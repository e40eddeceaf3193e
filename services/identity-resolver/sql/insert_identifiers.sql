INSERT INTO identity.identifiers (identifier_id, profile_id, first_seen_at, version, type)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::timestamptz[]), 0, unnest($4::smallint[])
ON CONFLICT DO NOTHING
RETURNING identifier_id
