-- migrate:up
-- identity-resolver: who is who, as evidence. Every row is convergent unless it says chronicle.
CREATE SCHEMA identity AUTHORIZATION CURRENT_USER;
COMMENT ON SCHEMA identity IS 'Identifiers, links between them, and the profiles they form; owned by identity-resolver.';

CREATE TABLE identity.settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON TABLE identity.settings IS 'What fixes the meaning of stored identifiers: the fingerprint of the key, the ranks and normalisers (convergent).';
COMMENT ON COLUMN identity.settings.name IS 'Name of the setting.';
COMMENT ON COLUMN identity.settings.value IS 'Its value when the first identifier was stored.';

CREATE TABLE identity.types (
    code smallint PRIMARY KEY,
    type text NOT NULL UNIQUE,
    is_unique boolean NOT NULL
);
COMMENT ON TABLE identity.types IS 'Identifier types of the policy (convergent).';
COMMENT ON COLUMN identity.types.code IS 'Rank of the type: 1 is the strongest.';
COMMENT ON COLUMN identity.types.type IS 'Name of the type.';
COMMENT ON COLUMN identity.types.is_unique IS 'A profile holds at most one value of it.';

CREATE TABLE identity.identifiers (
    identifier_id uuid PRIMARY KEY,
    profile_id uuid NOT NULL,
    first_seen_at timestamptz NOT NULL,
    version bigint NOT NULL,
    type smallint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX identifiers_profile ON identity.identifiers (profile_id);
COMMENT ON TABLE identity.identifiers IS 'Every identifier ever seen, as a keyed hash, with the profile it belongs to (convergent, but version).';
COMMENT ON COLUMN identity.identifiers.identifier_id IS 'Keyed hash of type and normalised value.';
COMMENT ON COLUMN identity.identifiers.profile_id IS 'Today''s profile: the identifier of it that was seen first.';
COMMENT ON COLUMN identity.identifiers.first_seen_at IS 'Smallest occurred_at of a touchpoint with it.';
COMMENT ON COLUMN identity.identifiers.version IS 'Version of the last change of profile_id, 0 = never changed (chronicle).';
COMMENT ON COLUMN identity.identifiers.type IS 'Code of its type.';

CREATE TABLE identity.profiles (
    profile_id uuid PRIMARY KEY
);
COMMENT ON TABLE identity.profiles IS 'Lock rows, one per id that may name a profile; never deleted (chronicle).';
COMMENT ON COLUMN identity.profiles.profile_id IS 'An identifier id.';

CREATE TABLE identity.links (
    a uuid NOT NULL,
    b uuid NOT NULL,
    first_seen_at timestamptz NOT NULL,
    evidence uuid NOT NULL,
    PRIMARY KEY (a, b),
    CHECK (a < b)
);
COMMENT ON TABLE identity.links IS 'Two identifiers seen together in a touchpoint: the evidence that profiles are computed from (convergent).';
COMMENT ON COLUMN identity.links.a IS 'The smaller identifier id.';
COMMENT ON COLUMN identity.links.b IS 'The larger identifier id.';
COMMENT ON COLUMN identity.links.first_seen_at IS 'Smallest occurred_at of a touchpoint with both.';
COMMENT ON COLUMN identity.links.evidence IS 'event_id of that touchpoint.';

CREATE SEQUENCE identity.versions CACHE 1;

CREATE TABLE identity.changes (
    version bigint NOT NULL,
    identifier_id uuid NOT NULL,
    from_profile_id uuid NOT NULL,
    to_profile_id uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    cause text NOT NULL,
    cause_id uuid NOT NULL,
    PRIMARY KEY (version, identifier_id)
);
CREATE INDEX changes_identifier ON identity.changes (identifier_id);
COMMENT ON TABLE identity.changes IS 'Which identifier moved from which profile to which, and why (chronicle).';
COMMENT ON COLUMN identity.changes.version IS 'One per transaction that moved identifiers.';
COMMENT ON COLUMN identity.changes.identifier_id IS 'The identifier that moved.';
COMMENT ON COLUMN identity.changes.from_profile_id IS 'Profile before.';
COMMENT ON COLUMN identity.changes.to_profile_id IS 'Profile after.';
COMMENT ON COLUMN identity.changes.changed_at IS 'When it was found out.';
COMMENT ON COLUMN identity.changes.cause IS 'touchpoint or operator.';
COMMENT ON COLUMN identity.changes.cause_id IS 'event_id of a touchpoint of the batch that caused it.';

CREATE TABLE identity.outbox (
    version bigint NOT NULL,
    part integer NOT NULL,
    profile_id uuid NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (version, part)
);
ALTER TABLE identity.outbox ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON TABLE identity.outbox IS 'Identity changes that are not yet acknowledged by Kafka (chronicle).';
COMMENT ON COLUMN identity.outbox.version IS 'Version of the change.';
COMMENT ON COLUMN identity.outbox.part IS 'Message number within a large change.';
COMMENT ON COLUMN identity.outbox.profile_id IS 'Key of the message: the new profile.';
COMMENT ON COLUMN identity.outbox.payload IS 'The message as it is sent.';

CREATE TABLE identity.unidentified_touchpoints (
    event_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz,
    source text NOT NULL,
    message_id text NOT NULL,
    channel text NOT NULL,
    event_name text NOT NULL,
    direction text,
    department text,
    purpose text,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (occurred_at, event_id)
);
COMMENT ON TABLE identity.unidentified_touchpoints IS 'Touchpoints without a usable identifier: counted, in no profile, in no journey (convergent, but loaded_at).';
COMMENT ON COLUMN identity.unidentified_touchpoints.event_id IS 'Hash of source and message_id.';
COMMENT ON COLUMN identity.unidentified_touchpoints.occurred_at IS 'When it happened.';
COMMENT ON COLUMN identity.unidentified_touchpoints.received_at IS 'When the producing system received it.';
COMMENT ON COLUMN identity.unidentified_touchpoints.source IS 'URI of the producing system.';
COMMENT ON COLUMN identity.unidentified_touchpoints.message_id IS 'Id given by the producing system.';
COMMENT ON COLUMN identity.unidentified_touchpoints.channel IS 'Channel as sent.';
COMMENT ON COLUMN identity.unidentified_touchpoints.event_name IS 'event_name, or the type where absent.';
COMMENT ON COLUMN identity.unidentified_touchpoints.direction IS 'inbound, outbound or null.';
COMMENT ON COLUMN identity.unidentified_touchpoints.department IS 'Unit that owns the touch.';
COMMENT ON COLUMN identity.unidentified_touchpoints.purpose IS 'Purpose as sent.';
COMMENT ON COLUMN identity.unidentified_touchpoints.loaded_at IS 'When it was stored (chronicle).';

GRANT USAGE ON SCHEMA identity TO tutti_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA identity TO tutti_identity;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA identity TO tutti_identity;

-- migrate:down
DROP SCHEMA identity CASCADE;
