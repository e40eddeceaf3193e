SELECT o.id, o.payload
FROM journey.message_outbox AS o
WHERE EXISTS (SELECT FROM unnest($1::uuid[]) AS u (profile_id) WHERE position(uuid_send(u.profile_id) IN o.payload) > 0)
ORDER BY o.id
