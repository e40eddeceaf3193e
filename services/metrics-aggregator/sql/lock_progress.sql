SELECT lane, next_seq
FROM metrics.progress
WHERE lane = ANY ($1::integer[])
ORDER BY lane
FOR NO KEY UPDATE
