-- The active generation, for a transaction. The lock (GENERATION_LOCK) holds off `tutti policy apply` even after a lost
-- connection released the session's lock.
SELECT generation, number, pg_try_advisory_xact_lock_shared(7235417803201)
FROM tutti_meta.generations
WHERE is_active
