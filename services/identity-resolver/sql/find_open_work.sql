SELECT coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(made_at) FROM identity.erasures WHERE NOT is_complete)), 0)::bigint,
       CASE WHEN s.next IS NULL THEN 0 ELSE s.age END,
       CASE WHEN s.previous IS NULL THEN 0 ELSE s.age END
FROM (
    SELECT max(value) FILTER (WHERE name = 'next_key_fingerprint') AS next,
           max(value) FILTER (WHERE name = 'previous_key_fingerprint') AS previous,
           extract(epoch FROM clock_timestamp() - coalesce(
               max(value) FILTER (WHERE name = 'key_changed_at')::timestamptz,
               (SELECT activated_at FROM identity.policies WHERE is_active)))::bigint AS age
    FROM identity.settings
) AS s
