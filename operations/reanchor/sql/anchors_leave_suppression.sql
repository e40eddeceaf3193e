-- Facts whose identifiers are all blocked now are in no ledger, and their decisions are about no customer.
WITH gone AS (
    DELETE FROM suppression.facts AS f
    USING unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS m (anchor, occurred_at, event_id)
    WHERE f.anchor = m.anchor AND f.occurred_at = m.occurred_at AND f.event_id = m.event_id
    RETURNING f.anchor, f.event_id
)
UPDATE suppression.decisions AS d
SET anchor = NULL, profile_id = NULL
FROM gone AS g
WHERE d.request_id = g.event_id AND d.anchor = g.anchor
