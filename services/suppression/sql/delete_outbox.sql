DELETE FROM suppression.outbox o
USING unnest($1::uuid[], $2::smallint[]) AS u (request_id, kind)
WHERE o.request_id = u.request_id AND o.kind = u.kind
