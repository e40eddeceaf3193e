UPDATE journey.stage_outbox
SET payload = $2
WHERE id = $1
