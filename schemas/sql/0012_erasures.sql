-- migrate:up
-- People are erased while the services run: every transaction that writes says first which erasures it knows of.
CREATE TABLE identity.erasures (
    version bigint PRIMARY KEY,
    made_at timestamptz NOT NULL,
    linked uuid[] NOT NULL,
    is_complete boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE identity.erasures IS 'Erasures of a person, in order (chronicle).';
COMMENT ON COLUMN identity.erasures.version IS 'Version of the map (even): what was known of these identifiers before has a smaller one, whoever comes back none below it.';
COMMENT ON COLUMN identity.erasures.made_at IS 'When it was made, while no other transaction was under way.';
COMMENT ON COLUMN identity.erasures.linked IS 'Identifiers of others that were linked with the person''s: what they say of the person is cleared; empty once that is done.';
COMMENT ON COLUMN identity.erasures.is_complete IS 'Nothing is left to do: rows of others are cleared, quarantine was judged anew.';
CREATE INDEX erasures_incomplete ON identity.erasures (version) WHERE NOT is_complete;
GRANT SELECT ON identity.erasures TO tutti_identity, tutti_journey, tutti_suppression;

ALTER TABLE identity.erased ADD COLUMN version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN identity.erased.version IS 'The erasure; 0: one made while the services were stopped, before erasures had versions.';
CREATE INDEX erased_version ON identity.erased (version);

-- The newest erasure, held off until the transaction ends. Two statements: what is read after a lock was waited for needs a snapshot
-- of its own, which a function that is not stable takes for each of its statements.
CREATE FUNCTION tutti_meta.hold_erasures() RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7235417803202);
    RETURN (SELECT coalesce(max(version), 0) FROM identity.erasures);
END $$;

-- Short keys, 8 bytes each, without some of them; null if none is left.
CREATE FUNCTION tutti_meta.without_keys(packed bytea, keys bigint[]) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT string_agg(substring(packed FROM i * 8 + 1 FOR 8), '' ORDER BY i) FROM generate_series(0, length(packed) / 8 - 1) AS i
          WHERE tutti_meta.be_int8(packed, i * 8) <> ALL (keys) $$;

-- migrate:down
DROP FUNCTION tutti_meta.without_keys(bytea, bigint[]);
DROP FUNCTION tutti_meta.hold_erasures();
DROP INDEX identity.erased_version;
ALTER TABLE identity.erased DROP COLUMN version;
DROP TABLE identity.erasures;
