-- migrate:up
-- A version is a number of one database; the hash says which policy it was, wherever its file lies.
CREATE OR REPLACE VIEW tutti.fct_identity_changes AS
SELECT c.version, c.identifier_id, t.type, c.from_profile_id, c.to_profile_id, c.changed_at, c.cause,
       nullif(c.cause_id, '00000000-0000-0000-0000-000000000000') AS cause_touchpoint_id, c.changed_at AS loaded_at,
       c.version % 2 = 1 AS is_shared, c.policy_version, o.actor, o.reason, p.hash AS policy_hash
FROM identity.changes AS c
LEFT JOIN identity.policies AS p ON p.version = c.policy_version
LEFT JOIN identity.identifiers AS i USING (identifier_id)
LEFT JOIN identity.types AS t ON t.code = i.type
LEFT JOIN LATERAL (
    SELECT actor, reason
    FROM identity.manual_evidence
    WHERE version = c.version - c.version % 2
    ORDER BY id
    LIMIT 1
) AS o ON true;
COMMENT ON COLUMN tutti.fct_identity_changes.policy_hash IS 'Hash of that policy, as tutti identity plan prints it (chronicle).';
COMMENT ON COLUMN journey.stage_outbox.id IS 'Grows with the transactions about one customer: the version of its messages, and the order of sending.';

-- migrate:down
COMMENT ON COLUMN journey.stage_outbox.id IS 'Order of sending.';
DROP VIEW tutti.fct_identity_changes;
CREATE VIEW tutti.fct_identity_changes AS
SELECT c.version, c.identifier_id, t.type, c.from_profile_id, c.to_profile_id, c.changed_at, c.cause,
       nullif(c.cause_id, '00000000-0000-0000-0000-000000000000') AS cause_touchpoint_id, c.changed_at AS loaded_at,
       c.version % 2 = 1 AS is_shared, c.policy_version, o.actor, o.reason
FROM identity.changes AS c
LEFT JOIN identity.identifiers AS i USING (identifier_id)
LEFT JOIN identity.types AS t ON t.code = i.type
LEFT JOIN LATERAL (
    SELECT actor, reason
    FROM identity.manual_evidence
    WHERE version = c.version - c.version % 2
    ORDER BY id
    LIMIT 1
) AS o ON true;
GRANT SELECT ON tutti.fct_identity_changes TO tutti_reader;
