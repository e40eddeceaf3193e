SELECT u.cell
FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[],
            $9::integer[], $10::integer[], $11::integer[], $12::integer[], $13::integer[])
         AS u (cell, family, period, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9)
JOIN metrics.cell_keys AS k USING (cell)
WHERE (k.family, k.period, k.d0, k.d1, k.d2, k.d3, k.d4, k.d5, k.d6, k.d7, k.d8, k.d9)
   <> (u.family, u.period, u.d0, u.d1, u.d2, u.d3, u.d4, u.d5, u.d6, u.d7, u.d8, u.d9)
LIMIT 1
