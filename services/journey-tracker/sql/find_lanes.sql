SELECT lane, pub_seq, out_partition
FROM journey.lanes
WHERE lane = ANY ($1::integer[]) AND seq > pub_seq
