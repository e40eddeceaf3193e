DELETE FROM journey.outbox o
USING metrics.applied a
WHERE a.lane = o.lane AND o.lane = ANY ($1::integer[]) AND o.seq <= a.seq
