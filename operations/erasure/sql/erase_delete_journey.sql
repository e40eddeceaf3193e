-- Removes what the schema journey has of these identifiers, and says how much it was, table by table.
WITH gone_checkpoints AS (DELETE FROM journey.checkpoints AS t WHERE t.profile = ANY ($2::bigint[]) RETURNING 1),
     gone_conversions AS (DELETE FROM journey.conversions AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_repeats AS (DELETE FROM journey.repeats AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_traits AS (DELETE FROM journey.traits AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_copies AS (DELETE FROM journey.sale_copies AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_order_changes AS (DELETE FROM journey.order_changes AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_stage_changes AS (DELETE FROM journey.stage_changes AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_memberships AS (DELETE FROM journey.memberships AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_responses AS (DELETE FROM journey.responses AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_opportunities AS (DELETE FROM journey.opportunities AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_states AS (DELETE FROM journey.states AS t WHERE t.profile = ANY ($2::bigint[]) RETURNING 1),
     gone_followed AS (UPDATE journey.followed AS t SET ver = NULL WHERE t.profile = ANY ($2::bigint[])),
     gone_anchors AS (DELETE FROM journey.anchors AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_facts AS (DELETE FROM journey.facts AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1)
SELECT 'journey.checkpoints', (SELECT count(*) FROM gone_checkpoints)::text
UNION ALL
SELECT 'journey.conversions', (SELECT count(*) FROM gone_conversions)::text
UNION ALL
SELECT 'journey.repeats', (SELECT count(*) FROM gone_repeats)::text
UNION ALL
SELECT 'journey.traits', (SELECT count(*) FROM gone_traits)::text
UNION ALL
SELECT 'journey.sale_copies', (SELECT count(*) FROM gone_copies)::text
UNION ALL
SELECT 'journey.order_changes', (SELECT count(*) FROM gone_order_changes)::text
UNION ALL
SELECT 'journey.stage_changes', (SELECT count(*) FROM gone_stage_changes)::text
UNION ALL
SELECT 'journey.memberships', (SELECT count(*) FROM gone_memberships)::text
UNION ALL
SELECT 'journey.responses', (SELECT count(*) FROM gone_responses)::text
UNION ALL
SELECT 'journey.opportunities', (SELECT count(*) FROM gone_opportunities)::text
UNION ALL
SELECT 'journey.states', (SELECT count(*) FROM gone_states)::text
UNION ALL
SELECT 'journey.anchors', (SELECT count(*) FROM gone_anchors)::text
UNION ALL
SELECT 'journey.facts', (SELECT count(*) FROM gone_facts)::text
