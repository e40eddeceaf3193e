INSERT INTO memberships (anchor, changed_at, segment, event_id, is_in)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::integer[]), unnest($4::uuid[]), unnest($5::boolean[])
ON CONFLICT (anchor, changed_at, segment, event_id) DO UPDATE SET is_in = excluded.is_in
