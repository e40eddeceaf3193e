-- $1: the key of the lock.
SELECT pg_advisory_unlock($1)
