-- Diffs of the former generation are not needed: their numbers count as applied.
WITH gone AS (DELETE FROM journey.outbox)
UPDATE journey.lanes SET pub_seq = seq WHERE pub_seq < seq
