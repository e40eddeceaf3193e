SELECT nextval(pg_get_serial_sequence('journey.message_outbox', 'id'))
