INSERT INTO journey.lanes AS l (lane, seq, pub_seq, out_partition)
VALUES ($1, $2, 0, $3)
ON CONFLICT (lane) DO UPDATE SET seq = l.seq + $2
RETURNING seq, pub_seq, out_partition
