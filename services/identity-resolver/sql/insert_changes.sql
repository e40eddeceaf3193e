INSERT INTO identity.changes (version, identifier_id, from_profile_id, to_profile_id, changed_at, cause, cause_id)
SELECT $1, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::uuid[]), $5, $6, $7
