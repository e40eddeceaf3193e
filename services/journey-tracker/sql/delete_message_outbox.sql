DELETE FROM journey.message_outbox
WHERE id = ANY ($1::bigint[])
