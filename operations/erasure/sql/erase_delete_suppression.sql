-- Removes what the schema suppression has of these identifiers, and says how much it was, table by table. Who was seen with one of them
-- as an address is linked with it: the tombstones of this transaction say with whom. Facts lead to decisions;
-- a copy of a fact may lead to another person's. A revocation that is not published yet stays until it is.
WITH f AS (SELECT event_id FROM suppression.facts WHERE anchor = ANY ($2::bigint[])),
     d AS (SELECT d.request_id FROM suppression.decisions AS d
        WHERE d.request_id IN (SELECT event_id FROM f) AND d.anchor = ANY ($2::bigint[])),
     gone_outbox AS (DELETE FROM suppression.outbox AS t
        WHERE t.request_id IN (SELECT request_id FROM d) AND t.kind = 0 RETURNING 1),
     gone_address_grants AS (DELETE FROM suppression.address_grants AS t
        WHERE t.address = ANY ($2::bigint[]) OR t.request_id IN (SELECT request_id FROM d) RETURNING 1),
     gone_known_addresses AS (DELETE FROM suppression.known_addresses AS t
        WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     linked AS (SELECT DISTINCT tutti_meta.short_key(l.identifier_id) AS anchor
        FROM identity.erasures AS e CROSS JOIN LATERAL unnest(e.linked) AS l (identifier_id)
        WHERE e.version = (SELECT max(version) FROM identity.erasures)),
     gone_as_addresses AS (DELETE FROM suppression.known_addresses AS t USING linked AS l
        WHERE t.anchor = l.anchor AND t.anchor <> ALL ($2::bigint[]) AND t.address_id = ANY ($1::uuid[]) RETURNING 1),
     gone_decisions AS (DELETE FROM suppression.decisions AS t WHERE t.request_id IN (SELECT request_id FROM d) RETURNING 1),
     gone_arms AS (DELETE FROM suppression.arms AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_states AS (DELETE FROM suppression.states AS t WHERE t.profile = ANY ($2::bigint[]) RETURNING 1),
     gone_anchors AS (DELETE FROM suppression.anchors AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_places AS (DELETE FROM suppression.places AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1),
     gone_kept AS (DELETE FROM suppression.kept_addresses AS t WHERE t.address_id = ANY ($1::uuid[]) RETURNING 1),
     gone_facts AS (DELETE FROM suppression.facts AS t WHERE t.anchor = ANY ($2::bigint[]) RETURNING 1)
SELECT 'suppression.outbox', (SELECT count(*) FROM gone_outbox)::text
UNION ALL
SELECT 'suppression.address_grants', (SELECT count(*) FROM gone_address_grants)::text
UNION ALL
SELECT 'suppression.known_addresses', ((SELECT count(*) FROM gone_known_addresses) + (SELECT count(*) FROM gone_as_addresses))::text
UNION ALL
SELECT 'suppression.decisions', (SELECT count(*) FROM gone_decisions)::text
UNION ALL
SELECT 'suppression.arms', (SELECT count(*) FROM gone_arms)::text
UNION ALL
SELECT 'suppression.states', (SELECT count(*) FROM gone_states)::text
UNION ALL
SELECT 'suppression.anchors', (SELECT count(*) FROM gone_anchors)::text
UNION ALL
SELECT 'suppression.places', (SELECT count(*) FROM gone_places)::text
UNION ALL
SELECT 'suppression.kept_addresses', (SELECT count(*) FROM gone_kept)::text
UNION ALL
SELECT 'suppression.facts', (SELECT count(*) FROM gone_facts)::text
