SELECT seq, payload
FROM journey.diff_outbox
WHERE lane = $1 AND seq BETWEEN $2 AND $3
ORDER BY seq
LIMIT 16
