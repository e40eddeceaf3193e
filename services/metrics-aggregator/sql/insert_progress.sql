INSERT INTO metrics.progress (lane, next_seq)
SELECT unnest($1::integer[]), 1
ON CONFLICT DO NOTHING
