UPDATE journey.lanes l
SET pub_seq = a.seq
FROM metrics.applied a
WHERE a.lane = l.lane AND l.lane = ANY ($1::integer[]) AND l.pub_seq < a.seq
