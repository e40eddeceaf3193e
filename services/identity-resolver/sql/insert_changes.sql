INSERT INTO identity.changes (version, identifier_id, from_profile_id, to_profile_id, changed_at, cause, cause_id, policy_version)
SELECT $1 + shared::integer + 2 * person::integer, identifier_id, from_profile_id, to_profile_id, $7, $8, $9, $10
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::boolean[], $6::boolean[])
     AS u (identifier_id, from_profile_id, to_profile_id, shared, person)
