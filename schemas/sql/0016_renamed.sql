-- migrate:up
-- Other rules for values make other identifiers of stored ones, where raw values are kept: which ones `tutti identity apply` is at.
CREATE TABLE tutti_meta.renamed (
    old_id uuid PRIMARY KEY,
    new_id uuid
);
COMMENT ON TABLE tutti_meta.renamed IS 'What stored identifiers become under the rules that are being applied; empty once that is done (chronicle).';
COMMENT ON COLUMN tutti_meta.renamed.old_id IS 'The identifier before.';
COMMENT ON COLUMN tutti_meta.renamed.new_id IS 'What it becomes; null: its value is blocked or not usable, nobody.';
COMMENT ON COLUMN tutti_meta.reanchoring.phase IS '0 identifiers become others, 1 codes of identifiers, 2 facts of the journey, 3 facts of suppression, 4 profiles, 5 what is left of former identifiers, 6 what is derived.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_id IS 'Identifiers up to this one are done in the phase.';
COMMENT ON COLUMN identity.identifiers.identifier_id IS 'Keyed hash of type and normalised value, under the key of the time when it was stored first; another one only under other rules for values.';

-- migrate:down
COMMENT ON COLUMN identity.identifiers.identifier_id IS 'Keyed hash of type and normalised value, under the key of the time when it was stored first; never changes.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_id IS 'Identifiers up to this one have their new code.';
COMMENT ON COLUMN tutti_meta.reanchoring.phase IS '0 codes of identifiers, 1 facts of the journey, 2 facts of suppression, 3 profiles, 4 what is derived.';
DROP TABLE tutti_meta.renamed;
