-- migrate:up
-- The key of identifier hashes can be exchanged: stored ids stay, and values are found by hashes under the new key.
CREATE TABLE identity.found_by (
    hash uuid PRIMARY KEY,
    identifier_id uuid NOT NULL,
    key_number smallint NOT NULL
);
CREATE INDEX found_by_identifier ON identity.found_by (identifier_id);
COMMENT ON TABLE identity.found_by IS 'Hashes under a later key of values whose identifier_id was made under an older one; empty before the first exchange of the key (chronicle).';
COMMENT ON COLUMN identity.found_by.hash IS 'Keyed hash of type and normalised value, under the key of that number.';
COMMENT ON COLUMN identity.found_by.identifier_id IS 'The identifier, in identity.identifiers or in identity.erased.';
COMMENT ON COLUMN identity.found_by.key_number IS 'Number of the key: how many exchanges there were before it, and it.';

ALTER TABLE identity.identifiers ADD COLUMN key_number smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN identity.identifiers.key_number IS 'Number of the key that was current when it was stored; 0: the first key (chronicle).';
COMMENT ON COLUMN identity.identifiers.identifier_id IS 'Keyed hash of type and normalised value, under the key of the time when it was stored first; never changes.';
ALTER TABLE identity.erased ADD COLUMN key_number smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN identity.erased.key_number IS 'key_number of the identifier that was erased.';
ALTER TABLE identity.policies ADD COLUMN key_epoch integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN identity.policies.key_epoch IS 'Steps of key exchanges so far (identity.settings has the keys): every transaction sees when there was another one.';
COMMENT ON COLUMN identity.settings.value IS 'Its value when the first identifier was stored; of keys, their fingerprints and number today.';

GRANT SELECT, INSERT ON identity.found_by TO tutti_identity;

-- migrate:down
ALTER TABLE identity.policies DROP COLUMN key_epoch;
ALTER TABLE identity.erased DROP COLUMN key_number;
COMMENT ON COLUMN identity.identifiers.identifier_id IS 'Keyed hash of type and normalised value.';
ALTER TABLE identity.identifiers DROP COLUMN key_number;
DROP TABLE identity.found_by;
COMMENT ON COLUMN identity.settings.value IS 'Its value when the first identifier was stored.';
DELETE FROM identity.settings WHERE name IN ('next_key_fingerprint', 'previous_key_fingerprint', 'key_number') OR name LIKE 'former\_key\_%';
