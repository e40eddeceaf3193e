-- Messages that tell of anchors and profiles as they are now.
SELECT (SELECT count(*) FROM identity.outbox) + (SELECT count(*) FROM journey.message_outbox) + (SELECT count(*) FROM suppression.outbox)
