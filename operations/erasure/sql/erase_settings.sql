-- The transaction waits two seconds at most for a lock, and finds everything by key.
SELECT set_config('lock_timeout', '2s', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
