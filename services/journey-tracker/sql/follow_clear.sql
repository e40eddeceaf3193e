-- What was derived of these profiles ($1) and of their anchors ($2) in the slot that is being built.
WITH gone_checkpoints AS (DELETE FROM checkpoints AS t WHERE t.profile = ANY ($1::bigint[])),
     gone_conversions AS (DELETE FROM conversions AS t WHERE t.anchor = ANY ($2::bigint[])),
     gone_repeats AS (DELETE FROM repeats AS t WHERE t.anchor = ANY ($2::bigint[])),
     gone_traits AS (DELETE FROM traits AS t WHERE t.anchor = ANY ($2::bigint[])),
     gone_order_changes AS (DELETE FROM order_changes AS t WHERE t.anchor = ANY ($2::bigint[])),
     gone_stage_changes AS (DELETE FROM stage_changes AS t WHERE t.anchor = ANY ($2::bigint[])),
     gone_memberships AS (DELETE FROM memberships AS t WHERE t.anchor = ANY ($2::bigint[])),
     gone_responses AS (DELETE FROM responses AS t WHERE t.anchor = ANY ($2::bigint[]))
DELETE FROM opportunities AS t WHERE t.anchor = ANY ($2::bigint[])
