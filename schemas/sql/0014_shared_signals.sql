-- migrate:up
-- An opt-out or a hold is a fact of every identifier of its touchpoint: copies of a fact stand under the others.
COMMENT ON COLUMN suppression.facts.anchor IS 'Short key of the touchpoint''s strongest identifier; of a copy (flags 4), of another one.';
COMMENT ON COLUMN suppression.facts.flags IS 'Bits: 1 has a contact record, 2 its tags are not readable, 4 a copy for an identifier beside the anchor.';
COMMENT ON COLUMN suppression.facts.event IS 'event_name, or the type where absent; empty in a copy of a contact.';

-- migrate:down
DELETE FROM suppression.facts WHERE flags & 4 <> 0;
COMMENT ON COLUMN suppression.facts.event IS 'event_name, or the type where absent.';
COMMENT ON COLUMN suppression.facts.flags IS 'Bits: 1 has a contact record, 2 its tags are not readable.';
COMMENT ON COLUMN suppression.facts.anchor IS 'Short key of the touchpoint''s strongest identifier.';
