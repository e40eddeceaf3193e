-- One array per column: the profile $1 as it was seen ($2 ver) with what it adds to the sums ($3).
INSERT INTO journey.followed (profile, ver, cells)
SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bytea[])
ON CONFLICT (profile) DO UPDATE SET ver = excluded.ver, cells = excluded.cells
