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
COMMENT ON COLUMN identity.settings.value IS 'Its value now: the first one, unless an operator changed it since.';

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
    type smallint NOT NULL,
    is_quarantined boolean NOT NULL DEFAULT false,
    has_refused boolean NOT NULL DEFAULT false,
    key_number smallint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX identifiers_profile ON identity.identifiers (profile_id);
COMMENT ON TABLE identity.identifiers IS 'Every identifier ever seen, as a keyed hash, with the profile it belongs to (convergent, but version).';
COMMENT ON COLUMN identity.identifiers.identifier_id IS 'Keyed hash of type and normalised value, under the key of the time when it was stored first; another one only under other rules for values.';
COMMENT ON COLUMN identity.identifiers.profile_id IS 'Today''s profile: the identifier of it that was seen first.';
COMMENT ON COLUMN identity.identifiers.first_seen_at IS 'Smallest occurred_at of a touchpoint with it.';
COMMENT ON COLUMN identity.identifiers.version IS 'Version of the last change of profile_id, below 4: never changed; odd: the profile is shared; with the bit 2: of a unique type (chronicle).';
COMMENT ON COLUMN identity.identifiers.type IS 'Code of its type.';
COMMENT ON COLUMN identity.identifiers.is_quarantined IS 'Linked to more others than the policy allows: its links are refused, and it is alone in its profile.';
COMMENT ON COLUMN identity.identifiers.has_refused IS 'One of its links is refused, or was.';
COMMENT ON COLUMN identity.identifiers.key_number IS 'Number of the key that was current when it was stored; 0: the first key (chronicle).';

CREATE VIEW identity.places AS SELECT identifier_id, profile_id, version FROM identity.identifiers;
COMMENT ON VIEW identity.places IS 'Where identifiers are today, for suppression: of an address that its map does not have yet.';
COMMENT ON COLUMN identity.places.identifier_id IS 'Identifier.';
COMMENT ON COLUMN identity.places.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN identity.places.version IS 'Version of the last change of profile_id (chronicle).';

-- A fixed number of rows instead of one per profile: a new customer costs none.
CREATE TABLE identity.lock_stripes (
    stripe integer PRIMARY KEY
);
INSERT INTO identity.lock_stripes (stripe) SELECT generate_series(0, 65535);
COMMENT ON TABLE identity.lock_stripes IS 'Lock rows: the first two bytes of a profile_id; fixed (chronicle).';
COMMENT ON COLUMN identity.lock_stripes.stripe IS 'First two bytes of the profile ids it stands for, big-endian.';

CREATE TABLE identity.links (
    a uuid NOT NULL,
    b uuid NOT NULL,
    first_seen_at timestamptz NOT NULL,
    evidence uuid NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    refused_by smallint NOT NULL DEFAULT 0,
    is_indirect boolean NOT NULL DEFAULT false,
    PRIMARY KEY (a, b),
    CHECK (a < b)
);
CREATE INDEX links_refused ON identity.links (b) WHERE refused_by <> 0;
COMMENT ON TABLE identity.links IS 'Two identifiers seen together in a touchpoint: the evidence that profiles are computed from (convergent).';
COMMENT ON COLUMN identity.links.a IS 'The smaller identifier id.';
COMMENT ON COLUMN identity.links.b IS 'The larger identifier id.';
COMMENT ON COLUMN identity.links.first_seen_at IS 'Smallest occurred_at of a touchpoint that shows it, of those with one of the two as its strongest where there are any.';
COMMENT ON COLUMN identity.links.evidence IS 'event_id of that touchpoint.';
COMMENT ON COLUMN identity.links.loaded_at IS 'When it was stored first (chronicle).';
COMMENT ON COLUMN identity.links.is_indirect IS 'Another identifier was the strongest of every touchpoint that shows it.';
COMMENT ON COLUMN identity.links.refused_by IS 'Rule that refuses it: 0 none, 1 pair, 2 quarantine, 3 cut, 4 unique, 5 limit, 6 max_identifiers.';

CREATE TABLE identity.aliases (
    a uuid NOT NULL,
    b uuid NOT NULL,
    topic text NOT NULL,
    source text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (a, b, topic, source),
    CHECK (a < b)
);
CREATE INDEX aliases_b ON identity.aliases (b);
COMMENT ON TABLE identity.aliases IS 'Two values of a unique type that a trusted source said are one (convergent).';
COMMENT ON COLUMN identity.aliases.a IS 'The smaller identifier id.';
COMMENT ON COLUMN identity.aliases.b IS 'The larger identifier id.';
COMMENT ON COLUMN identity.aliases.topic IS 'Topic of the touchpoint that said so.';
COMMENT ON COLUMN identity.aliases.source IS 'Its source.';
COMMENT ON COLUMN identity.aliases.loaded_at IS 'When it was stored first (chronicle).';

CREATE SEQUENCE identity.versions CACHE 1;

CREATE TABLE identity.changes (
    version bigint NOT NULL,
    identifier_id uuid NOT NULL,
    from_profile_id uuid NOT NULL,
    to_profile_id uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    cause text NOT NULL,
    cause_id uuid NOT NULL,
    policy_version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (version, identifier_id)
);
CREATE INDEX changes_identifier ON identity.changes (identifier_id);
COMMENT ON TABLE identity.changes IS 'Which identifier moved from which profile to which, and why (chronicle).';
COMMENT ON COLUMN identity.changes.version IS 'One per transaction that moved identifiers, a multiple of 4; one more where the new profile is shared, two more for an identifier of a unique type.';
COMMENT ON COLUMN identity.changes.identifier_id IS 'The identifier that moved.';
COMMENT ON COLUMN identity.changes.from_profile_id IS 'Profile before.';
COMMENT ON COLUMN identity.changes.to_profile_id IS 'Profile after.';
COMMENT ON COLUMN identity.changes.changed_at IS 'When it was found out.';
COMMENT ON COLUMN identity.changes.cause IS 'touchpoint, operator or policy.';
COMMENT ON COLUMN identity.changes.cause_id IS 'event_id of a touchpoint of the batch that caused it; nil for the other causes.';
COMMENT ON COLUMN identity.changes.policy_version IS 'Version of the identity policy it was computed with.';

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

-- ------------------------------------------------------------------------------------------ orders and policies
CREATE TABLE identity.manual_evidence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('link', 'same', 'cut', 'release')),
    a uuid NOT NULL,
    b uuid,
    actor text NOT NULL,
    reason text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    version bigint,
    CHECK ((kind = 'release') = (b IS NULL) AND a <> b)
);
CREATE INDEX manual_evidence_a ON identity.manual_evidence (a);
CREATE INDEX manual_evidence_b ON identity.manual_evidence (b) WHERE b IS NOT NULL;
CREATE INDEX manual_evidence_version ON identity.manual_evidence (version) WHERE version IS NOT NULL;
COMMENT ON TABLE identity.manual_evidence IS 'What operators ordered; for a pair the newest of link, same and cut counts (chronicle, and evidence).';
COMMENT ON COLUMN identity.manual_evidence.id IS 'Running number: the newest order counts.';
COMMENT ON COLUMN identity.manual_evidence.kind IS 'link: a and b are one customer; same: and count as one value of a unique type; cut: never in one profile; release: a is never in quarantine.';
COMMENT ON COLUMN identity.manual_evidence.a IS 'An identifier.';
COMMENT ON COLUMN identity.manual_evidence.b IS 'The other identifier; null for a release.';
COMMENT ON COLUMN identity.manual_evidence.actor IS 'Who ordered it.';
COMMENT ON COLUMN identity.manual_evidence.reason IS 'Why, in their words.';
COMMENT ON COLUMN identity.manual_evidence.made_at IS 'When.';
COMMENT ON COLUMN identity.manual_evidence.version IS 'Version of the identity change it led to; null if nothing moved.';

CREATE TABLE identity.policies (
    version integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash uuid NOT NULL,
    policy jsonb NOT NULL,
    actor text,
    activated_at timestamptz NOT NULL DEFAULT now(),
    is_active boolean NOT NULL,
    swept_to uuid,
    is_complete boolean NOT NULL DEFAULT false,
    has_orders boolean NOT NULL DEFAULT false,
    key_epoch integer NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX policies_one_active ON identity.policies (is_active) WHERE is_active;
COMMENT ON TABLE identity.policies IS 'Identity policies that were active, one at a time (chronicle).';
COMMENT ON COLUMN identity.policies.version IS 'Running number; every change of the map names it.';
COMMENT ON COLUMN identity.policies.hash IS 'Hash of the file as it was applied.';
COMMENT ON COLUMN identity.policies.policy IS 'The file.';
COMMENT ON COLUMN identity.policies.actor IS 'Who applied it; null: the first start of identity-resolver.';
COMMENT ON COLUMN identity.policies.activated_at IS 'When.';
COMMENT ON COLUMN identity.policies.is_active IS 'True for the one that every transaction works by.';
COMMENT ON COLUMN identity.policies.swept_to IS 'Profiles up to this id were reviewed since; null: none.';
COMMENT ON COLUMN identity.policies.is_complete IS 'Every profile was reviewed since.';
COMMENT ON COLUMN identity.policies.has_orders IS 'There may be manual evidence: looked up only then.';
COMMENT ON COLUMN identity.policies.key_epoch IS 'Steps of key exchanges so far (identity.settings has the keys): every transaction sees when there was another one.';

-- ------------------------------------------------------------------------------------------ keys and privacy
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

CREATE TABLE identity.raw_values (
    identifier_id uuid PRIMARY KEY,
    key_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    nonce bytea NOT NULL,
    sealed bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE identity.raw_values IS 'Values of identifiers, each sealed with a key of its own; kept only where privacy.raw_values is on (chronicle).';
COMMENT ON COLUMN identity.raw_values.identifier_id IS 'The identifier.';
COMMENT ON COLUMN identity.raw_values.key_id IS 'Fingerprint of the privacy key that wraps the row''s key.';
COMMENT ON COLUMN identity.raw_values.wrapped_key IS 'The row''s key, sealed with the privacy key: without it the value is gone.';
COMMENT ON COLUMN identity.raw_values.nonce IS 'Nonce of the sealed value.';
COMMENT ON COLUMN identity.raw_values.sealed IS 'The value, sealed with the row''s key.';
COMMENT ON COLUMN identity.raw_values.stored_at IS 'When it was stored.';

CREATE TABLE identity.erased (
    identifier_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL,
    key_number smallint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
);
CREATE INDEX erased_version ON identity.erased (version);
COMMENT ON TABLE identity.erased IS 'Tombstones: touchpoints with this identifier up to that time are dropped (chronicle).';
COMMENT ON COLUMN identity.erased.identifier_id IS 'Keyed hash of an identifier that was erased.';
COMMENT ON COLUMN identity.erased.erased_at IS 'When.';
COMMENT ON COLUMN identity.erased.key_number IS 'key_number of the identifier that was erased.';
COMMENT ON COLUMN identity.erased.version IS 'The erasure; 0: one made while the services were stopped, before erasures had versions.';

CREATE TABLE identity.erasures (
    version bigint PRIMARY KEY,
    made_at timestamptz NOT NULL,
    linked uuid[] NOT NULL,
    is_complete boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE identity.erasures IS 'Erasures of a person, in order (chronicle).';
COMMENT ON COLUMN identity.erasures.version IS 'Version of the map: rows about these identifiers from before have a smaller one, and an identifier that comes back starts at it.';
COMMENT ON COLUMN identity.erasures.made_at IS 'When it was made, while no other transaction was under way.';
COMMENT ON COLUMN identity.erasures.linked IS 'Identifiers of others that were linked with the person''s: what they say of the person is cleared; empty once that is done.';
COMMENT ON COLUMN identity.erasures.is_complete IS 'Nothing is left to do: rows of others are cleared, quarantine was judged again.';
CREATE INDEX erasures_incomplete ON identity.erasures (version) WHERE NOT is_complete;

-- The newest erasure; the lock keeps a newer one off until the transaction ends. Two statements: a read after a wait for a lock needs
-- a snapshot of its own, and a function that is not stable takes one for each of its statements.
CREATE FUNCTION tutti_meta.hold_erasures() RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
BEGIN
    LOCK TABLE tutti_meta.erasure_lock IN ROW SHARE MODE;
    RETURN (SELECT coalesce(max(version), 0) FROM identity.erasures);
END $$;

-- ------------------------------------------------------------------------------------------ rights
GRANT USAGE ON SCHEMA identity TO tutti_identity, tutti_journey, tutti_suppression, tutti_pii;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.settings, identity.types, identity.identifiers, identity.lock_stripes, identity.links,
    identity.aliases, identity.changes, identity.outbox, identity.manual_evidence, identity.policies TO tutti_identity;
GRANT SELECT, INSERT ON identity.found_by TO tutti_identity;
GRANT SELECT ON identity.erased, identity.erasures TO tutti_identity, tutti_journey, tutti_suppression;
GRANT SELECT ON identity.places TO tutti_suppression;
GRANT INSERT ON identity.raw_values TO tutti_identity;
GRANT SELECT ON identity.raw_values TO tutti_pii;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA identity TO tutti_identity;

-- migrate:down
DROP FUNCTION tutti_meta.hold_erasures();
DROP SCHEMA identity CASCADE;
