-- migrate:up
-- suppression: the ledger of contacts, what was decided, and the decisions on their way to the channels.
CREATE SCHEMA suppression AUTHORIZATION CURRENT_USER;
COMMENT ON SCHEMA suppression IS 'Ledger of contacts and decisions on contact requests; owned by suppression.';

CREATE TABLE suppression.facts (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    kind smallint NOT NULL,
    flags smallint NOT NULL,
    event text NOT NULL,
    channel text NOT NULL,
    department text,
    class text,
    purpose text,
    tags text,
    priority smallint,
    product_id text,
    product_category text,
    campaign_id text,
    lines text,
    source text,
    case_id text,
    order_id text,
    received_at timestamptz,
    consent text,
    preferences text,
    score smallint,
    planned_at timestamptz,
    expires_at timestamptz,
    latest_at timestamptz,
    sequence_id text,
    decision_id text,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    others bytea,
    addresses bytea,
    PRIMARY KEY (anchor, occurred_at, event_id)
);
CREATE FUNCTION suppression.saying(event text, channel text, consent text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT hashtextextended(event || E'\x1f' || channel || E'\x1f' || coalesce(consent, ''), 0) $$;
COMMENT ON FUNCTION suppression.saying IS 'Facts that say the same have the same number; of them only the newest counts for an address.';
CREATE INDEX facts_sayings ON suppression.facts (anchor, suppression.saying(event, channel, consent), occurred_at) WHERE kind = 6 OR consent <> '';
CREATE INDEX facts_consent ON suppression.facts (occurred_at) WHERE (consent <> '' OR event = 'Unsubscribed') AND flags & 4 = 0;
CREATE INDEX facts_kept ON suppression.facts (anchor) WHERE flags & 16 <> 0;
COMMENT ON TABLE suppression.facts IS 'Touchpoints that contact decisions ask for: requests, sends, consent, address failures, holds, purchases (convergent, but loaded_at).';
COMMENT ON COLUMN suppression.facts.anchor IS 'Short key of the touchpoint''s strongest identifier; of a copy (flags 4), of another one.';
COMMENT ON COLUMN suppression.facts.occurred_at IS 'When it happened.';
COMMENT ON COLUMN suppression.facts.event_id IS 'Hash of source and message_id.';
COMMENT ON COLUMN suppression.facts.kind IS '1 request, 2 sent, 3 delivered, 4 failed, 5 cancelled, 6 what rules ask for.';
COMMENT ON COLUMN suppression.facts.flags IS 'Bits: 1 has a contact record, 2 its tags are not readable, 4 a copy for an identifier other than the anchor, 8 outbound, so a yes in its consent does not count, 16 an opt-out that an erasure left, 32 its value is below 0.';
COMMENT ON COLUMN suppression.facts.event IS 'event_name, or the type where absent; empty in a copy of a contact.';
COMMENT ON COLUMN suppression.facts.channel IS 'Channel as sent.';
COMMENT ON COLUMN suppression.facts.department IS 'Unit that owns the touch.';
COMMENT ON COLUMN suppression.facts.class IS 'contact.class.';
COMMENT ON COLUMN suppression.facts.purpose IS 'contact.purpose, or purpose.';
COMMENT ON COLUMN suppression.facts.tags IS 'contact.tags_json, one tag per line.';
COMMENT ON COLUMN suppression.facts.priority IS 'contact.priority: 1 low, 2 normal, 3 high.';
COMMENT ON COLUMN suppression.facts.product_id IS 'Product.';
COMMENT ON COLUMN suppression.facts.product_category IS 'Category of the product.';
COMMENT ON COLUMN suppression.facts.campaign_id IS 'campaign.id.';
COMMENT ON COLUMN suppression.facts.lines IS 'Names of the order''s lines, one per line: product, byte 1f, category; null: none.';
COMMENT ON COLUMN suppression.facts.source IS 'URI of the producing system; null in a copy.';
COMMENT ON COLUMN suppression.facts.case_id IS 'Case, such as a complaint, that it belongs to.';
COMMENT ON COLUMN suppression.facts.order_id IS 'Order that it belongs to.';
COMMENT ON COLUMN suppression.facts.received_at IS 'Of a signal that came in before occurred_at: the earliest time at which it did; null: it did not.';
COMMENT ON COLUMN suppression.facts.consent IS 'Its consent map as it was sent: +email -direct%20mail; %XX is a byte.';
COMMENT ON COLUMN suppression.facts.preferences IS 'What the customer asked for in a preference centre, one key per line, its fields ended by byte 1f; null: nothing.';
COMMENT ON COLUMN suppression.facts.score IS 'Score from -100 to 100.';
COMMENT ON COLUMN suppression.facts.planned_at IS 'contact.planned_at.';
COMMENT ON COLUMN suppression.facts.expires_at IS 'contact.expires_at.';
COMMENT ON COLUMN suppression.facts.latest_at IS 'contact.latest_at.';
COMMENT ON COLUMN suppression.facts.sequence_id IS 'contact.sequence_id.';
COMMENT ON COLUMN suppression.facts.decision_id IS 'Request that this contact answers.';
COMMENT ON COLUMN suppression.facts.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN suppression.facts.others IS 'Short keys of the touchpoint''s other identifiers, 8 bytes each, strongest first; null: none.';
COMMENT ON COLUMN suppression.facts.addresses IS 'Short keys of the identifiers that it names and its channel uses as an address, 8 bytes each; null: none.';

CREATE TABLE suppression.known_addresses (
    anchor bigint NOT NULL,
    address_id uuid NOT NULL,
    channels text NOT NULL,
    first_at timestamptz NOT NULL,
    PRIMARY KEY (anchor, address_id)
);
COMMENT ON TABLE suppression.known_addresses IS 'Addresses that customers'' own touchpoints named (convergent).';
COMMENT ON COLUMN suppression.known_addresses.anchor IS 'Short key of the touchpoints'' anchor.';
COMMENT ON COLUMN suppression.known_addresses.address_id IS 'Identifier id of the address.';
COMMENT ON COLUMN suppression.known_addresses.channels IS 'Channels that it is an address of, separated by blanks, as identity.json said last.';
COMMENT ON COLUMN suppression.known_addresses.first_at IS 'When a touchpoint of this anchor named it first.';

CREATE TABLE suppression.places (
    anchor bigint NOT NULL,
    kind smallint NOT NULL,
    value text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    PRIMARY KEY (anchor, kind, value)
) WITH (fillfactor = 80);
COMMENT ON TABLE suppression.places IS 'Where customers were, by their touchpoints, where a rule asks for it (convergent).';
COMMENT ON COLUMN suppression.places.anchor IS 'Short key of the touchpoints'' anchor.';
COMMENT ON COLUMN suppression.places.kind IS '1 time zone, 2 country, 3 region, 4 country of a phone number.';
COMMENT ON COLUMN suppression.places.value IS 'Name of the zone, code of the country, or region as it was sent.';
COMMENT ON COLUMN suppression.places.first_day IS 'First day on which a touchpoint said so, UTC.';
COMMENT ON COLUMN suppression.places.last_day IS 'Last one.';

CREATE TABLE suppression.kept_addresses (
    address_id uuid PRIMARY KEY,
    type text NOT NULL
);
COMMENT ON TABLE suppression.kept_addresses IS 'Addresses of erased people whose opt-outs stay: the facts with flag 16 (chronicle).';
COMMENT ON COLUMN suppression.kept_addresses.address_id IS 'Identifier id: a keyed hash.';
COMMENT ON COLUMN suppression.kept_addresses.type IS 'Type of the identifier.';

CREATE TABLE suppression.anchors (
    anchor bigint PRIMARY KEY,
    profile bigint NOT NULL,
    version bigint NOT NULL,
    anchor_id uuid NOT NULL,
    profile_id uuid NOT NULL
) WITH (fillfactor = 90);
CREATE INDEX anchors_profile_id ON suppression.anchors (profile_id);
COMMENT ON TABLE suppression.anchors IS 'Which profile an anchor belongs to: merging and splitting people changes only this (convergent, but version).';
COMMENT ON COLUMN suppression.anchors.anchor IS 'Short key: the first 8 bytes of anchor_id.';
COMMENT ON COLUMN suppression.anchors.profile IS 'Short key of profile_id.';
COMMENT ON COLUMN suppression.anchors.version IS 'Version of the identity change that was applied (chronicle).';
COMMENT ON COLUMN suppression.anchors.anchor_id IS 'Identifier id.';
COMMENT ON COLUMN suppression.anchors.profile_id IS 'Profile id.';

CREATE TABLE suppression.states (
    profile bigint PRIMARY KEY,
    ver bigint NOT NULL,
    members bigint NOT NULL,
    generation integer NOT NULL,
    payload bytea NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE suppression.states IS 'Lock rows, one per profile with a ledger, which say until when grants may be open; never deleted (chronicle).';
COMMENT ON COLUMN suppression.states.profile IS 'Short key of the profile.';
COMMENT ON COLUMN suppression.states.ver IS 'Grows whenever the ledger is read to decide.';
COMMENT ON COLUMN suppression.states.members IS 'Grows with every anchor that moves in or out.';
COMMENT ON COLUMN suppression.states.generation IS 'Number of the policy generation of the last decision.';
COMMENT ON COLUMN suppression.states.payload IS 'When the last open grant becomes void, microseconds since 1970 in 8 bytes; empty: none is open.';

CREATE TABLE suppression.decisions (
    request_id uuid PRIMARY KEY,
    anchor bigint,
    profile_id uuid,
    verdict smallint NOT NULL,
    outcome smallint NOT NULL,
    generation integer NOT NULL,
    requested_at timestamptz NOT NULL,
    asked_for_at timestamptz NOT NULL,
    planned_at timestamptz NOT NULL,
    moved_by text,
    latest_at timestamptz,
    decided_at timestamptz NOT NULL,
    expires_at timestamptz,
    retry_at timestamptz,
    sent_at timestamptz,
    claimed_at timestamptz,
    outcome_at timestamptz,
    outcome_cause text,
    waited_us bigint,
    channel text NOT NULL,
    department text,
    class text,
    purpose text,
    campaign_id text,
    product_id text,
    tags text,
    priority smallint,
    sequence_id text,
    reason text,
    rule_id text,
    rule_owner text,
    batch_id text,
    opportunity_id text,
    rules bytea NOT NULL,
    zones text,
    zone_data text,
    loaded_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 85);
COMMENT ON TABLE suppression.decisions IS 'The one verdict of each contact request, with all that was seen, and what became of it (chronicle).';
COMMENT ON COLUMN suppression.decisions.request_id IS 'Event id of the request.';
COMMENT ON COLUMN suppression.decisions.anchor IS 'Short key of the request''s anchor; null where no customer was identified.';
COMMENT ON COLUMN suppression.decisions.profile_id IS 'Profile when it was decided, or of its new anchor when ranks changed; null where no customer was identified.';
COMMENT ON COLUMN suppression.decisions.verdict IS '1 grant, 2 deny, 3 invalid.';
COMMENT ON COLUMN suppression.decisions.outcome IS '0 open, 1 revoked, 2 cancelled, 3 sent, 4 failed, 5 delivered; a later one replaces an earlier one.';
COMMENT ON COLUMN suppression.decisions.generation IS 'Number of the policy generation it was decided in.';
COMMENT ON COLUMN suppression.decisions.requested_at IS 'Event time of the request.';
COMMENT ON COLUMN suppression.decisions.asked_for_at IS 'Time of the contact that was asked for.';
COMMENT ON COLUMN suppression.decisions.planned_at IS 'Time of the contact: asked_for_at, or the later time of a grant that was booked.';
COMMENT ON COLUMN suppression.decisions.moved_by IS 'Rule for which the contact was booked later than it was asked for; null: it was not.';
COMMENT ON COLUMN suppression.decisions.latest_at IS 'contact.latest_at.';
COMMENT ON COLUMN suppression.decisions.decided_at IS 'Wall clock of the decision.';
COMMENT ON COLUMN suppression.decisions.expires_at IS 'When the grant becomes void.';
COMMENT ON COLUMN suppression.decisions.retry_at IS 'Earliest time at which a new request may succeed.';
COMMENT ON COLUMN suppression.decisions.sent_at IS 'When the contact was made.';
COMMENT ON COLUMN suppression.decisions.claimed_at IS 'Wall clock of the claim: its channel acts, and nothing revokes it any more.';
COMMENT ON COLUMN suppression.decisions.outcome_at IS 'When the outcome happened.';
COMMENT ON COLUMN suppression.decisions.outcome_cause IS 'What revoked it: opt_out, consent, hold, purchase, invalid_address, pause, never_after, goal_met, merge; stays if it was sent all the same.';
COMMENT ON COLUMN suppression.decisions.waited_us IS 'Microseconds from the request''s record to the decision.';
COMMENT ON COLUMN suppression.decisions.channel IS 'Channel of the request, by the name of the list; as sent if it is unknown.';
COMMENT ON COLUMN suppression.decisions.department IS 'Department that asked.';
COMMENT ON COLUMN suppression.decisions.class IS 'contact.class.';
COMMENT ON COLUMN suppression.decisions.purpose IS 'contact.purpose, or purpose.';
COMMENT ON COLUMN suppression.decisions.campaign_id IS 'campaign.id.';
COMMENT ON COLUMN suppression.decisions.product_id IS 'Product.';
COMMENT ON COLUMN suppression.decisions.tags IS 'Tags, one per line.';
COMMENT ON COLUMN suppression.decisions.priority IS 'contact.priority: 1 low, 2 normal, 3 high.';
COMMENT ON COLUMN suppression.decisions.sequence_id IS 'contact.sequence_id, where the request may take the place of others of its sequence.';
COMMENT ON COLUMN suppression.decisions.reason IS 'Kind of the deciding rule, or what is invalid; null for a grant.';
COMMENT ON COLUMN suppression.decisions.rule_id IS 'Deciding rule of the contact policy.';
COMMENT ON COLUMN suppression.decisions.rule_owner IS 'Who owns that rule.';
COMMENT ON COLUMN suppression.decisions.batch_id IS 'contact.batch_id.';
COMMENT ON COLUMN suppression.decisions.opportunity_id IS 'Opportunity that the contact is about, as sent.';
COMMENT ON COLUMN suppression.decisions.rules IS 'Every rule with the values it saw; expanded by tutti.fct_contact_decision_rules.';
COMMENT ON COLUMN suppression.decisions.zones IS 'Time zones of the customer by which it was judged, separated by blanks; null: no rule asked for them.';
COMMENT ON COLUMN suppression.decisions.zone_data IS 'Version of the time zone database of these zones.';
COMMENT ON COLUMN suppression.decisions.loaded_at IS 'When it was stored.';

CREATE TABLE suppression.arms (
    holdout text NOT NULL,
    anchor bigint NOT NULL,
    arm smallint NOT NULL,
    basis_points smallint NOT NULL,
    assigned_at timestamptz NOT NULL,
    request_id uuid NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (anchor, holdout)
);
COMMENT ON TABLE suppression.arms IS 'What identifiers have drawn in the holdouts, at the first request that nothing else forbade (chronicle).';
COMMENT ON COLUMN suppression.arms.holdout IS 'Id of the rule.';
COMMENT ON COLUMN suppression.arms.anchor IS 'Short key of the request''s anchor.';
COMMENT ON COLUMN suppression.arms.arm IS '0 treated, 1 control.';
COMMENT ON COLUMN suppression.arms.basis_points IS 'Hundredths of a percent that were to be control at that time.';
COMMENT ON COLUMN suppression.arms.assigned_at IS 'Event time of the request.';
COMMENT ON COLUMN suppression.arms.request_id IS 'Event id of the request.';
COMMENT ON COLUMN suppression.arms.loaded_at IS 'When it was stored.';

CREATE TABLE suppression.address_grants (
    address bigint NOT NULL,
    request_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (address, request_id)
);
CREATE INDEX address_grants_request_id ON suppression.address_grants (request_id);
CREATE INDEX address_grants_expires_at ON suppression.address_grants (expires_at);
COMMENT ON TABLE suppression.address_grants IS 'Open grants under each address whose word they rely on; deleted as they close (chronicle).';
COMMENT ON COLUMN suppression.address_grants.address IS 'Short key of the address.';
COMMENT ON COLUMN suppression.address_grants.request_id IS 'The grant''s request.';
COMMENT ON COLUMN suppression.address_grants.expires_at IS 'When the grant becomes void.';
COMMENT ON COLUMN suppression.address_grants.loaded_at IS 'When it was stored.';

CREATE TABLE suppression.outbox (
    request_id uuid NOT NULL,
    kind smallint NOT NULL,
    lane integer NOT NULL,
    instance bigint NOT NULL,
    profile_id uuid NOT NULL,
    channel text NOT NULL,
    department text,
    correlation bytea,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, kind)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE suppression.outbox IS 'Decisions that are not yet acknowledged by Kafka (chronicle).';
COMMENT ON COLUMN suppression.outbox.request_id IS 'Request that is answered.';
COMMENT ON COLUMN suppression.outbox.kind IS '0 decision, 1 revocation.';
COMMENT ON COLUMN suppression.outbox.lane IS 'Input topic and partition whose owner sends it if its writer does not.';
COMMENT ON COLUMN suppression.outbox.instance IS 'Process that wrote it and sends it first.';
COMMENT ON COLUMN suppression.outbox.profile_id IS 'Key of the message; all zero where no customer was identified.';
COMMENT ON COLUMN suppression.outbox.channel IS 'Header channel.';
COMMENT ON COLUMN suppression.outbox.department IS 'Header department.';
COMMENT ON COLUMN suppression.outbox.correlation IS 'Header kafka_correlationId of the request.';
COMMENT ON COLUMN suppression.outbox.payload IS 'The message as it is sent.';
COMMENT ON COLUMN suppression.outbox.created_at IS 'When it was written.';

-- A type stays when the views are made anew, and the functions with it that views call go.
CREATE TYPE suppression.consent_heard AS (
    occurred_at timestamptz,
    counts_at timestamptz,
    is_copy boolean,
    is_said boolean,
    event text,
    channel text,
    source text,
    yes text[],
    no text[],
    leaves text[]
);
COMMENT ON TYPE suppression.consent_heard IS 'What a touchpoint says of consent, for the functions of fct_consents.';

GRANT USAGE ON SCHEMA suppression TO tutti_suppression;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA suppression TO tutti_suppression;

-- migrate:down
DROP SCHEMA suppression CASCADE;
