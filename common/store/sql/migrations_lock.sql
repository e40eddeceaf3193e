-- $1: the key of the lock. It belongs to the session, so it is free again when the connection ends.
SELECT pg_try_advisory_lock($1)
