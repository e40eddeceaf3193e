DELETE FROM suppression.address_grants
WHERE request_id = ANY ($1::uuid[])
