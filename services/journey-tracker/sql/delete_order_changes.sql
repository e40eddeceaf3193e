DELETE FROM order_changes c
USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::integer[]) AS u (anchor, occurred_at, event_id, goal)
WHERE c.anchor = u.anchor AND c.occurred_at = u.occurred_at AND c.event_id = u.event_id AND c.goal = u.goal
