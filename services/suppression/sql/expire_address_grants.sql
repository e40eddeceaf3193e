DELETE FROM suppression.address_grants AS g
USING (
    SELECT address, request_id
    FROM suppression.address_grants
    WHERE expires_at < clock_timestamp() - interval '1 day' AND loaded_at < clock_timestamp() - interval '1 day'
    ORDER BY address, request_id
    LIMIT 1000
    FOR UPDATE SKIP LOCKED
) AS old
WHERE g.address = old.address AND g.request_id = old.request_id
