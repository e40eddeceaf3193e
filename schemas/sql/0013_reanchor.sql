-- migrate:up
-- Other ranks choose other anchors for the facts that are stored: where `tutti identity apply` stands in it.
CREATE TABLE tutti_meta.reanchoring (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    policy_version integer NOT NULL,
    old_codes smallint[] NOT NULL,
    new_codes smallint[] NOT NULL,
    phase smallint NOT NULL DEFAULT 0,
    after_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    after_anchor bigint NOT NULL DEFAULT -9223372036854775808,
    after_at timestamptz NOT NULL DEFAULT '-infinity',
    after_event uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    started_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tutti_meta.reanchoring IS 'One row while facts get the anchors of an identity policy with other ranks; no service starts meanwhile (chronicle).';
COMMENT ON COLUMN tutti_meta.reanchoring.is_only IS 'True: there is at most one row.';
COMMENT ON COLUMN tutti_meta.reanchoring.policy_version IS 'Version of the identity policy whose ranks are taken over.';
COMMENT ON COLUMN tutti_meta.reanchoring.old_codes IS 'Codes of the types before.';
COMMENT ON COLUMN tutti_meta.reanchoring.new_codes IS 'Codes of the same types now.';
COMMENT ON COLUMN tutti_meta.reanchoring.phase IS '0 codes of identifiers, 1 facts of the journey, 2 facts of suppression, 3 profiles, 4 what is derived.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_id IS 'Identifiers up to this one have their new code.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_anchor IS 'Facts of the phase up to this key are done: its anchor before.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_at IS '... its time.';
COMMENT ON COLUMN tutti_meta.reanchoring.after_event IS '... its event.';
COMMENT ON COLUMN tutti_meta.reanchoring.started_at IS 'When the policy was switched.';
GRANT SELECT ON tutti_meta.reanchoring TO tutti_identity, tutti_journey, tutti_suppression, tutti_metrics;
COMMENT ON COLUMN identity.settings.value IS 'Its value now: the first one, unless an operator changed it since.';
COMMENT ON COLUMN suppression.decisions.profile_id IS 'Profile when it was decided, or of its new anchor when ranks changed; null where nobody was identified.';

-- migrate:down
COMMENT ON COLUMN suppression.decisions.profile_id IS 'Profile when it was decided; null where nobody was identified.';
COMMENT ON COLUMN identity.settings.value IS 'Its value when the first identifier was stored.';
DROP TABLE tutti_meta.reanchoring;
