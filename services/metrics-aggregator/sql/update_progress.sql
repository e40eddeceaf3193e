UPDATE metrics.progress AS p
SET next_seq = u.next_seq
FROM unnest($1::integer[], $2::bigint[]) AS u (lane, next_seq)
WHERE p.lane = u.lane
