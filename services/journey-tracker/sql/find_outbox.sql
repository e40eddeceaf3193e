SELECT seq, payload
FROM journey.outbox
WHERE lane = $1 AND seq > $2
ORDER BY seq
LIMIT 200
