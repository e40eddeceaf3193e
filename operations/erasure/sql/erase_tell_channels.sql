-- Revocations for suppression to publish. Instance 0 is no running process, and lane 0, the first partition of the resolved
-- touchpoints, always has an owner: it finds them as what another has left behind.
INSERT INTO suppression.outbox (instance, lane, kind, request_id, profile_id, channel, department, payload)
SELECT 0, 0, 1, u.request_id, u.profile_id, u.channel, u.department, u.payload
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[]) AS u (request_id, profile_id, channel, department, payload)
