DELETE FROM memberships AS m
USING unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::uuid[]) AS u (anchor, changed_at, segment, event_id)
WHERE m.anchor = u.anchor AND m.changed_at = u.changed_at AND m.segment = u.segment AND m.event_id = u.event_id
