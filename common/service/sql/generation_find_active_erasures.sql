-- The same, and holds off `tutti erase`.
SELECT generation, number, pg_try_advisory_xact_lock_shared(7235417803201), tutti_meta.hold_erasures()
FROM tutti_meta.generations
WHERE is_active
