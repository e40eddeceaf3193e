INSERT INTO metrics.cell_keys (cell, family, period, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9)
SELECT unnest($1::bigint[]), unnest($2::integer[]), unnest($3::integer[]), unnest($4::integer[]), unnest($5::integer[]),
       unnest($6::integer[]), unnest($7::integer[]), unnest($8::integer[]), unnest($9::integer[]), unnest($10::integer[]),
       unnest($11::integer[]), unnest($12::integer[]), unnest($13::integer[])
ON CONFLICT DO NOTHING
