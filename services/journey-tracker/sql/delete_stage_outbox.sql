DELETE FROM journey.stage_outbox
WHERE id = ANY ($1::bigint[])
