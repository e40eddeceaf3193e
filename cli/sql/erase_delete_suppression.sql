-- Removes what the schema suppression has of these identifiers, and says how much it was, table by table. Decisions about others,
-- made while they were in a profile of that name, get the name of today's.
WITH m AS (SELECT identifier_id, tutti_meta.short_key(identifier_id) AS anchor FROM unnest($1::uuid[]) AS u (identifier_id)),
     gone_outbox AS (DELETE FROM suppression.outbox AS t
         WHERE t.request_id IN (SELECT d.request_id FROM suppression.decisions AS d
            WHERE d.anchor IN (SELECT anchor FROM m)) RETURNING 1),
     gone_decisions AS (DELETE FROM suppression.decisions AS t WHERE t.anchor IN (SELECT anchor FROM m) RETURNING 1),
     renamed_decisions AS (UPDATE suppression.decisions AS t SET profile_id = a.profile_id
         FROM suppression.anchors AS a
         WHERE a.anchor = t.anchor AND t.profile_id IN (SELECT identifier_id FROM m) AND t.anchor NOT IN (SELECT anchor FROM m)
         RETURNING 1),
     gone_states AS (DELETE FROM suppression.states AS t WHERE t.profile IN (SELECT anchor FROM m) RETURNING 1),
     gone_anchors AS (DELETE FROM suppression.anchors AS t WHERE t.anchor IN (SELECT anchor FROM m) RETURNING 1),
     gone_facts AS (DELETE FROM suppression.facts AS t WHERE t.anchor IN (SELECT anchor FROM m) RETURNING 1)
SELECT 'suppression.outbox', (SELECT count(*) FROM gone_outbox)::text
UNION ALL
SELECT 'suppression.decisions', ((SELECT count(*) FROM gone_decisions) + (SELECT count(*) FROM renamed_decisions))::text
UNION ALL
SELECT 'suppression.states', (SELECT count(*) FROM gone_states)::text
UNION ALL
SELECT 'suppression.anchors', (SELECT count(*) FROM gone_anchors)::text
UNION ALL
SELECT 'suppression.facts', (SELECT count(*) FROM gone_facts)::text
