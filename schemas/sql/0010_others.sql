-- migrate:up
-- A fact names all identifiers of its touchpoint, not its anchor alone: anchors can be chosen anew, and what binds every identifier can.
ALTER TABLE journey.facts ADD COLUMN others bytea;
ALTER TABLE suppression.facts ADD COLUMN others bytea;
COMMENT ON COLUMN journey.facts.others IS 'Short keys of the touchpoint''s other identifiers, 8 bytes each, strongest first; null: none.';
COMMENT ON COLUMN suppression.facts.others IS 'Short keys of the touchpoint''s other identifiers, 8 bytes each, strongest first; null: none.';

-- Facts of before do not, so anchors cannot be chosen anew where there are any.
INSERT INTO identity.settings (name, value)
SELECT 'facts_without_others', 'before 0010' WHERE EXISTS (SELECT FROM journey.facts) OR EXISTS (SELECT FROM suppression.facts);

-- migrate:down
DELETE FROM identity.settings WHERE name = 'facts_without_others';
ALTER TABLE suppression.facts DROP COLUMN others;
ALTER TABLE journey.facts DROP COLUMN others;
