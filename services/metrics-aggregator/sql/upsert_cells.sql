INSERT INTO cells AS t (cell, lane, v0, v1, v2, v3, v4, v5, v6, v7, updated_at)
SELECT unnest($1::bigint[]), unnest($2::integer[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bigint[]),
       unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]), unnest($9::bigint[]), unnest($10::bigint[]), now()
ON CONFLICT (cell, lane) DO UPDATE
SET v0 = t.v0 + excluded.v0,
    v1 = (t.v1 + excluded.v1) % 4611686018427387904,
    v2 = (t.v2 + excluded.v2) % 4611686018427387904,
    v3 = t.v3 + excluded.v3, v4 = t.v4 + excluded.v4, v5 = t.v5 + excluded.v5,
    v6 = t.v6 + excluded.v6 + (t.v1 + excluded.v1) / 4611686018427387904,
    v7 = t.v7 + excluded.v7 + (t.v2 + excluded.v2) / 4611686018427387904,
    updated_at = excluded.updated_at
