SELECT nextval(pg_get_serial_sequence('journey.stage_outbox', 'id'))
