-- The last stage message that waits before the erasure.
SELECT coalesce(max(id), 0) FROM journey.message_outbox
