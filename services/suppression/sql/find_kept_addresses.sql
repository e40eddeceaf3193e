SELECT u.address_id, u.profile_id, u.version
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS u (address_id, profile_id, version)
JOIN suppression.kept_addresses AS k USING (address_id)
