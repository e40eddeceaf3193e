-- One array per column: $1 profile, $2 ver and $3 members as in the active slot, $5 state under the generation $4.
INSERT INTO states (profile, ver, members, generation, payload)
SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), $4::integer, unnest($5::bytea[])
ON CONFLICT (profile) DO UPDATE
SET ver = excluded.ver, members = excluded.members, generation = excluded.generation, payload = excluded.payload
