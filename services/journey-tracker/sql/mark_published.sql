UPDATE journey.lanes
SET pub_seq = greatest(pub_seq, $2)
WHERE lane = $1
