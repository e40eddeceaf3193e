-- The shared lock of a running service (GENERATION_LOCK), held as long as it is connected; `tutti policy apply` takes it exclusively.
SELECT pg_try_advisory_lock_shared(7235417803201)
