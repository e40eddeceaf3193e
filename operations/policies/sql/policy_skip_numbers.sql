-- The numbers that the old generation gave count as applied.
INSERT INTO metrics.progress (lane, next_seq) SELECT lane, seq + 1 FROM journey.lanes
ON CONFLICT (lane) DO UPDATE SET next_seq = excluded.next_seq
