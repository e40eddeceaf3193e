-- Version of the server, and how much WAL it writes between two checkpoints.
SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
       pg_size_bytes(current_setting('max_wal_size')), current_setting('max_wal_size')
