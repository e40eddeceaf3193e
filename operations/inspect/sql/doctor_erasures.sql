-- Erasures that are not complete, one of the oldest one's identifiers, and revocations of erased people's grants that wait. A decision
-- is there until its person is erased.
SELECT (SELECT count(*) FROM identity.erasures WHERE NOT is_complete),
       (SELECT t.identifier_id::text
        FROM identity.erasures AS e
        JOIN identity.erased AS t USING (version)
        WHERE NOT e.is_complete
        ORDER BY e.version, t.identifier_id
        LIMIT 1),
       (SELECT count(*)
        FROM suppression.outbox AS o
        WHERE o.kind = 1 AND NOT EXISTS (SELECT FROM suppression.decisions AS d WHERE d.request_id = o.request_id))
