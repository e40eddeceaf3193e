-- The active generation, for a transaction; holds off `tutti policy apply` and `tutti erase`.
SELECT p.generation, p.number, tutti_meta.hold_erasures()
FROM tutti_meta.hold_policies() AS p
