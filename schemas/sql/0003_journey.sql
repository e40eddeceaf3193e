-- migrate:up
-- journey-tracker: facts, the map anchor -> profile, and what is derived from them.
CREATE SCHEMA journey AUTHORIZATION CURRENT_USER;
COMMENT ON SCHEMA journey IS 'Timelines and everything derived from them; owned by journey-tracker.';

CREATE TABLE journey.dictionary (
    code integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    value text NOT NULL UNIQUE
);
COMMENT ON TABLE journey.dictionary IS 'Codes of the strings that cells and shapes use (codes are chronicle, values convergent).';
COMMENT ON COLUMN journey.dictionary.code IS 'Code; 0 is never given and means absent.';
COMMENT ON COLUMN journey.dictionary.value IS 'The string.';

CREATE TABLE journey.shapes (
    shape integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash uuid NOT NULL UNIQUE,
    source text NOT NULL,
    type text NOT NULL,
    event text NOT NULL,
    channel text NOT NULL,
    direction text,
    department text,
    purpose text,
    contact_class text,
    platform text,
    campaign_id text,
    campaign_name text,
    has_click_id boolean NOT NULL,
    is_bot boolean NOT NULL,
    click_network text,
    utm_source text,
    utm_medium text,
    referrer_host text,
    score_kind text,
    currency text,
    product_category text,
    device_type text,
    country text
);
COMMENT ON TABLE journey.shapes IS 'Combinations of the attributes of touchpoints that take few values; a fact names one (numbers are chronicle, contents convergent).';
COMMENT ON COLUMN journey.shapes.shape IS 'Number of the combination.';
COMMENT ON COLUMN journey.shapes.hash IS 'Hash of the combination as sent.';
COMMENT ON COLUMN journey.shapes.source IS 'URI of the producing system.';
COMMENT ON COLUMN journey.shapes.type IS 'Type of the touchpoint.';
COMMENT ON COLUMN journey.shapes.event IS 'event_name, or the type where absent.';
COMMENT ON COLUMN journey.shapes.channel IS 'Channel as sent.';
COMMENT ON COLUMN journey.shapes.direction IS 'inbound, outbound or none, as sent; any other word is null.';
COMMENT ON COLUMN journey.shapes.department IS 'Unit that owns the touch.';
COMMENT ON COLUMN journey.shapes.purpose IS 'Purpose as sent.';
COMMENT ON COLUMN journey.shapes.contact_class IS 'contact.class.';
COMMENT ON COLUMN journey.shapes.platform IS 'Platform as sent.';
COMMENT ON COLUMN journey.shapes.campaign_id IS 'campaign.id.';
COMMENT ON COLUMN journey.shapes.campaign_name IS 'campaign.name.';
COMMENT ON COLUMN journey.shapes.has_click_id IS 'Whether campaign.click_id is present.';
COMMENT ON COLUMN journey.shapes.is_bot IS 'A program and no person did it, as sent.';
COMMENT ON COLUMN journey.shapes.click_network IS 'campaign.click_network.';
COMMENT ON COLUMN journey.shapes.utm_source IS 'campaign.source.';
COMMENT ON COLUMN journey.shapes.utm_medium IS 'campaign.medium.';
COMMENT ON COLUMN journey.shapes.referrer_host IS 'Host of page.referrer.';
COMMENT ON COLUMN journey.shapes.score_kind IS 'score_kind.';
COMMENT ON COLUMN journey.shapes.currency IS 'currency.';
COMMENT ON COLUMN journey.shapes.product_category IS 'product_category.';
COMMENT ON COLUMN journey.shapes.device_type IS 'device.type.';
COMMENT ON COLUMN journey.shapes.country IS 'geo.country.';

CREATE TABLE journey.shape_meanings (
    shape integer PRIMARY KEY,
    network text,
    touch_kind text NOT NULL,
    is_goal_event boolean NOT NULL,
    needs_value boolean NOT NULL,
    shown_direction text,
    is_touch boolean NOT NULL,
    is_money boolean NOT NULL,
    is_money_with_value boolean NOT NULL,
    is_return_event boolean NOT NULL DEFAULT false,
    opens_case boolean NOT NULL DEFAULT false,
    ends_case boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE journey.shape_meanings IS 'What the policies make of shapes; each shape has a row (convergent, but numbers).';
COMMENT ON COLUMN journey.shape_meanings.shape IS 'The shape.';
COMMENT ON COLUMN journey.shape_meanings.network IS 'Network by the channel policy.';
COMMENT ON COLUMN journey.shape_meanings.touch_kind IS 'Node of the journey map.';
COMMENT ON COLUMN journey.shape_meanings.is_goal_event IS 'The event is a conversion by the active policy.';
COMMENT ON COLUMN journey.shape_meanings.needs_value IS '... but only with a positive value.';
COMMENT ON COLUMN journey.shape_meanings.shown_direction IS 'inbound, outbound or null, by the active policy.';
COMMENT ON COLUMN journey.shape_meanings.is_touch IS 'It is a touch by the active policy.';
COMMENT ON COLUMN journey.shape_meanings.is_money IS 'It is in a goal that adds up amounts, whatever its value.';
COMMENT ON COLUMN journey.shape_meanings.is_money_with_value IS 'It is in such a goal with a positive value.';
COMMENT ON COLUMN journey.shape_meanings.is_return_event IS 'The event is a return by the active policy.';
COMMENT ON COLUMN journey.shape_meanings.opens_case IS 'It opens a case of gestures by the active policy.';
COMMENT ON COLUMN journey.shape_meanings.ends_case IS 'It ends such a case.';

CREATE TABLE journey.policies (
    generation uuid PRIMARY KEY,
    reporting_timezone text NOT NULL,
    default_timezone text NOT NULL,
    session interval NOT NULL,
    at_risk_after interval,
    lapsed_after interval NOT NULL,
    journey_end interval NOT NULL,
    stored_model text NOT NULL,
    first_percent smallint NOT NULL,
    last_percent smallint NOT NULL,
    half_life interval NOT NULL,
    has_sales boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE journey.policies IS 'journey.json as journey-tracker understands it, defaults included: views read this and not the file (chronicle).';
COMMENT ON COLUMN journey.policies.generation IS 'The generation of policies, as in tutti_meta.generations.';
COMMENT ON COLUMN journey.policies.reporting_timezone IS 'Zone that decides which day a touch belongs to.';
COMMENT ON COLUMN journey.policies.default_timezone IS 'Zone of a person who never told one; the reporting zone where journey.json has none.';
COMMENT ON COLUMN journey.policies.session IS 'Pause between inbound touches after which a session ends.';
COMMENT ON COLUMN journey.policies.at_risk_after IS 'Time without an inbound touch after which a customer is at risk; null: never by itself.';
COMMENT ON COLUMN journey.policies.lapsed_after IS 'The same for lapsed.';
COMMENT ON COLUMN journey.policies.journey_end IS 'Time without an inbound touch after which a journey ends.';
COMMENT ON COLUMN journey.policies.stored_model IS 'Attribution model by which goals are split.';
COMMENT ON COLUMN journey.policies.first_percent IS 'Part of the first touch in position_based.';
COMMENT ON COLUMN journey.policies.last_percent IS 'Part of the last touch in position_based.';
COMMENT ON COLUMN journey.policies.half_life IS 'Time in which the weight of a touch halves in time_decay.';
COMMENT ON COLUMN journey.policies.has_sales IS 'journey.sales was made again under these policies.';

CREATE TABLE journey.goals (
    generation uuid NOT NULL,
    goal_id text NOT NULL,
    parent_goal_id text,
    ladder_level smallint NOT NULL,
    title text,
    unit text,
    metric text NOT NULL,
    is_credited boolean NOT NULL,
    status text,
    from_stage text,
    asks_identified boolean NOT NULL,
    segment_id text,
    windows text,
    PRIMARY KEY (generation, goal_id)
);
COMMENT ON TABLE journey.goals IS 'goals.json as journey-tracker understands it, defaults included (chronicle).';
COMMENT ON COLUMN journey.goals.generation IS 'The generation of policies, as in tutti_meta.generations.';
COMMENT ON COLUMN journey.goals.goal_id IS 'The goal.';
COMMENT ON COLUMN journey.goals.parent_goal_id IS 'Goal that it ladders up to.';
COMMENT ON COLUMN journey.goals.ladder_level IS 'Steps up to the top goal, which is 0.';
COMMENT ON COLUMN journey.goals.title IS 'Title.';
COMMENT ON COLUMN journey.goals.unit IS 'Unit of the value.';
COMMENT ON COLUMN journey.goals.metric IS 'count, value, margin_else_value, stock or entries.';
COMMENT ON COLUMN journey.goals.is_credited IS 'It is split by the stored attribution model.';
COMMENT ON COLUMN journey.goals.from_stage IS 'The lowest stage in which it counts customers; null: any.';
COMMENT ON COLUMN journey.goals.asks_identified IS 'It counts identified customers only.';
COMMENT ON COLUMN journey.goals.status IS 'The status that a goal of stock or entries counts; null: it counts a segment or touches.';
COMMENT ON COLUMN journey.goals.segment_id IS 'The segment that a goal of stock or entries counts; null: it counts a status or touches.';
COMMENT ON COLUMN journey.goals.windows IS 'Periods longer than a day whose customers are counted, with a blank between them; null: none.';

CREATE TABLE journey.segments (
    generation uuid NOT NULL,
    segment_id text NOT NULL,
    title text,
    owner text,
    has_figures boolean NOT NULL,
    PRIMARY KEY (generation, segment_id)
);
COMMENT ON TABLE journey.segments IS 'segments.json as journey-tracker understands it (chronicle).';
COMMENT ON COLUMN journey.segments.generation IS 'The generation of policies, as in tutti_meta.generations.';
COMMENT ON COLUMN journey.segments.segment_id IS 'The segment.';
COMMENT ON COLUMN journey.segments.title IS 'Title.';
COMMENT ON COLUMN journey.segments.owner IS 'Who is responsible for it.';
COMMENT ON COLUMN journey.segments.has_figures IS 'It is a segment_id of the reports.';

CREATE TABLE journey.tiers (
    generation uuid NOT NULL,
    position smallint NOT NULL,
    tier text NOT NULL,
    segment_id text NOT NULL,
    PRIMARY KEY (generation, position)
);
COMMENT ON TABLE journey.tiers IS 'tiers of segments.json (chronicle).';
COMMENT ON COLUMN journey.tiers.generation IS 'The generation of policies, as in tutti_meta.generations.';
COMMENT ON COLUMN journey.tiers.position IS 'A customer has the first tier whose segment it is in.';
COMMENT ON COLUMN journey.tiers.tier IS 'The tier.';
COMMENT ON COLUMN journey.tiers.segment_id IS 'Its segment.';

CREATE TABLE journey.offers (
    generation uuid NOT NULL,
    rule_id text NOT NULL,
    offer_id text NOT NULL,
    title text,
    product text NOT NULL,
    owner text NOT NULL,
    priority smallint NOT NULL,
    due_after interval NOT NULL,
    expires_after interval NOT NULL,
    cooling interval NOT NULL,
    PRIMARY KEY (generation, rule_id, offer_id)
);
COMMENT ON TABLE journey.offers IS 'The offers of orchestration.json as journey-tracker understands them (chronicle).';
COMMENT ON COLUMN journey.offers.generation IS 'The generation of policies, as in tutti_meta.generations.';
COMMENT ON COLUMN journey.offers.rule_id IS 'Rule that makes the offer.';
COMMENT ON COLUMN journey.offers.offer_id IS 'The offer.';
COMMENT ON COLUMN journey.offers.title IS 'Title.';
COMMENT ON COLUMN journey.offers.product IS 'What is offered.';
COMMENT ON COLUMN journey.offers.owner IS 'Department that offers it.';
COMMENT ON COLUMN journey.offers.priority IS '1 low, 2 normal, 3 high.';
COMMENT ON COLUMN journey.offers.due_after IS 'From the trigger to the best time for it.';
COMMENT ON COLUMN journey.offers.expires_after IS 'From the trigger to the time when it is void.';
COMMENT ON COLUMN journey.offers.cooling IS 'Time from the trigger in which no other one is opened.';

CREATE TABLE journey.gesture_limits (
    generation uuid NOT NULL,
    currency text NOT NULL,
    per_case_micros bigint NOT NULL,
    per_agent_month_micros bigint NOT NULL,
    approver text,
    PRIMARY KEY (generation, currency)
);
COMMENT ON TABLE journey.gesture_limits IS 'What staff may give away, by orchestration.json (chronicle).';
COMMENT ON COLUMN journey.gesture_limits.generation IS 'The generation of policies, as in tutti_meta.generations.';
COMMENT ON COLUMN journey.gesture_limits.currency IS 'Currency of both limits.';
COMMENT ON COLUMN journey.gesture_limits.per_case_micros IS 'For one case, in micro-units.';
COMMENT ON COLUMN journey.gesture_limits.per_agent_month_micros IS 'For one member of staff and month, in micro-units.';
COMMENT ON COLUMN journey.gesture_limits.approver IS 'Who approves what is beyond them.';

CREATE TABLE journey.facts (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    shape integer NOT NULL,
    received_at timestamptz,
    value_micros bigint,
    margin_micros bigint,
    cost_micros bigint,
    score smallint,
    zone smallint,
    message_id text NOT NULL,
    order_id text,
    content_id text,
    product_id text,
    location_id text,
    agent_id text,
    decision_id text,
    case_id text,
    opportunity_id text,
    lines text,
    line_amounts text,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    others bytea,
    traits bytea,
    PRIMARY KEY (anchor, occurred_at, event_id)
);
-- For gestures, and for the cases that they belong to.
CREATE INDEX facts_cost ON journey.facts (shape) WHERE cost_micros > 0;
CREATE INDEX facts_case ON journey.facts (shape) WHERE case_id IS NOT NULL;
COMMENT ON TABLE journey.facts IS 'Every distinct touchpoint (convergent, but loaded_at).';
COMMENT ON COLUMN journey.facts.anchor IS 'Short key of the touchpoint''s strongest identifier; 0: it has no usable one, and no row of journey.anchors.';
COMMENT ON COLUMN journey.facts.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.facts.event_id IS 'Hash of source and message_id.';
COMMENT ON COLUMN journey.facts.shape IS 'Its combination of attributes.';
COMMENT ON COLUMN journey.facts.received_at IS 'When the producing system received it.';
COMMENT ON COLUMN journey.facts.value_micros IS 'Value in micro-units of the currency.';
COMMENT ON COLUMN journey.facts.margin_micros IS 'Margin in micro-units.';
COMMENT ON COLUMN journey.facts.cost_micros IS 'Cost in micro-units.';
COMMENT ON COLUMN journey.facts.score IS 'Score from -100 to 100.';
COMMENT ON COLUMN journey.facts.zone IS 'Code of timezone as sent, as in tutti_meta.zones; -1: a text that was no name of a zone; null: none was sent.';
COMMENT ON COLUMN journey.facts.message_id IS 'Id given by the producing system.';
COMMENT ON COLUMN journey.facts.order_id IS 'Order.';
COMMENT ON COLUMN journey.facts.content_id IS 'Content, creative or coupon.';
COMMENT ON COLUMN journey.facts.product_id IS 'Product.';
COMMENT ON COLUMN journey.facts.location_id IS 'Store or branch.';
COMMENT ON COLUMN journey.facts.agent_id IS 'Member of staff.';
COMMENT ON COLUMN journey.facts.decision_id IS 'Contact request this touch belongs to, as sent.';
COMMENT ON COLUMN journey.facts.case_id IS 'Case, such as a complaint, that it belongs to.';
COMMENT ON COLUMN journey.facts.opportunity_id IS 'Opportunity that it answers, as sent.';
COMMENT ON COLUMN journey.facts.lines IS 'Names of the order''s lines, one per line: product, byte 1f, category; null: none, or no order.';
COMMENT ON COLUMN journey.facts.line_amounts IS 'Amounts of the same lines, one per line: quantity, value and margin in millionths with a byte 1f between them; null: none, or no order.';
COMMENT ON COLUMN journey.facts.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN journey.facts.traits IS 'What it says of the customer, by name (common/words/said.h); null: nothing.';
COMMENT ON COLUMN journey.facts.others IS 'Short keys of the touchpoint''s other identifiers, 8 bytes each, strongest first; null: none.';

CREATE TABLE journey.traits (
    anchor bigint NOT NULL,
    trait text NOT NULL,
    place bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    value text,
    source text NOT NULL,
    PRIMARY KEY (anchor, trait)
);
COMMENT ON TABLE journey.traits IS 'Of each declared trait what counts of the facts of one anchor; of a profile the greatest place counts (convergent).';
COMMENT ON COLUMN journey.traits.anchor IS 'Short key of the anchor.';
COMMENT ON COLUMN journey.traits.trait IS 'Name of the trait.';
COMMENT ON COLUMN journey.traits.place IS 'Place in the order of the trait''s rule: the greater one counts (services/journey-tracker/logic/trait.h).';
COMMENT ON COLUMN journey.traits.occurred_at IS 'When it was said.';
COMMENT ON COLUMN journey.traits.value IS 'The value as it is shown; null: the customer does not have it.';
COMMENT ON COLUMN journey.traits.source IS 'Who said it.';

CREATE TABLE journey.sales (
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    anchor bigint,
    rank smallint NOT NULL,
    PRIMARY KEY (occurred_at, event_id)
);
COMMENT ON TABLE journey.sales IS 'The one owner of each sale: the touchpoint that counts, whatever anchors tell the same message (convergent).';
COMMENT ON COLUMN journey.sales.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.sales.event_id IS 'Hash of source and message_id.';
COMMENT ON COLUMN journey.sales.anchor IS 'Short key of the owner''s anchor; null: an erased person''s, kept in journey.kept_sales if at all.';
COMMENT ON COLUMN journey.sales.rank IS 'What the owner says for itself: the higher, the rather it owns the sale.';

CREATE TABLE journey.sale_copies (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    rank smallint NOT NULL,
    PRIMARY KEY (anchor, occurred_at, event_id)
);
CREATE INDEX sale_copies_sale ON journey.sale_copies (occurred_at, event_id);
COMMENT ON TABLE journey.sale_copies IS 'Touchpoints whose sale another touchpoint of the same message owns (convergent).';
COMMENT ON COLUMN journey.sale_copies.anchor IS 'Short key of the touchpoint''s anchor.';
COMMENT ON COLUMN journey.sale_copies.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.sale_copies.event_id IS 'Hash of source and message_id.';
COMMENT ON COLUMN journey.sale_copies.rank IS 'What it says for itself, as in journey.sales.';

CREATE TABLE journey.kept_sales (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL,
    shape integer NOT NULL,
    value_micros bigint,
    margin_micros bigint
);
COMMENT ON TABLE journey.kept_sales IS 'Sales of erased people: money without anything that leads to a person (chronicle).';
COMMENT ON COLUMN journey.kept_sales.id IS 'Number of the row.';
COMMENT ON COLUMN journey.kept_sales.day IS 'Its day in the reporting zone.';
COMMENT ON COLUMN journey.kept_sales.shape IS 'What goals and conversions ask of it, and no more.';
COMMENT ON COLUMN journey.kept_sales.value_micros IS 'Value in micro-units of the currency.';
COMMENT ON COLUMN journey.kept_sales.margin_micros IS 'Margin in micro-units.';

CREATE TABLE journey.anchors (
    anchor bigint PRIMARY KEY,
    profile bigint NOT NULL,
    version bigint NOT NULL,
    anchor_id uuid NOT NULL,
    profile_id uuid NOT NULL
) WITH (fillfactor = 90);
-- For the members of a profile, and for people who ask for one profile.
CREATE INDEX anchors_profile_id ON journey.anchors (profile_id);
COMMENT ON TABLE journey.anchors IS 'Which profile an anchor belongs to: merging and splitting people changes only this (convergent, but version).';
COMMENT ON COLUMN journey.anchors.anchor IS 'Short key: the first 8 bytes of anchor_id.';
COMMENT ON COLUMN journey.anchors.profile IS 'Short key of profile_id.';
COMMENT ON COLUMN journey.anchors.version IS 'Version of the identity change that was applied (chronicle).';
COMMENT ON COLUMN journey.anchors.anchor_id IS 'Identifier id.';
COMMENT ON COLUMN journey.anchors.profile_id IS 'Profile id.';

CREATE TABLE journey.states (
    profile bigint PRIMARY KEY,
    ver bigint NOT NULL,
    members bigint NOT NULL,
    generation integer NOT NULL,
    payload bytea NOT NULL
) WITH (fillfactor = 70);
ALTER TABLE journey.states ALTER COLUMN payload SET STORAGE MAIN;
COMMENT ON TABLE journey.states IS 'Cache of derive(timeline) per profile; also its lock row, never deleted (payload is convergent).';
COMMENT ON COLUMN journey.states.profile IS 'Short key of the profile.';
COMMENT ON COLUMN journey.states.ver IS 'Grows with every write (chronicle).';
COMMENT ON COLUMN journey.states.members IS 'Grows with every anchor that moves in or out (chronicle).';
COMMENT ON COLUMN journey.states.generation IS 'Number of the policy generation it was derived in.';
COMMENT ON COLUMN journey.states.payload IS 'Packed state; the layout stands in services/journey-tracker/logic/state_header.def and journey_pack.c.';

CREATE TABLE journey.followed (
    profile bigint PRIMARY KEY,
    ver bigint,
    cells bytea NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE journey.followed IS 'What tutti policy apply derived while services run, in the slot that is not active; else empty (chronicle).';
COMMENT ON COLUMN journey.followed.profile IS 'Short key of the profile.';
COMMENT ON COLUMN journey.followed.ver IS 'The ver of its active state that was seen; null: it is to be derived again.';
COMMENT ON COLUMN journey.followed.cells IS 'What it adds to the sums, packed.';

CREATE TABLE journey.checkpoints (
    profile bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (profile, occurred_at)
);
COMMENT ON TABLE journey.checkpoints IS 'Packed states further back in long timelines, from which a late event is derived again (chronicle).';
COMMENT ON COLUMN journey.checkpoints.profile IS 'Short key of the profile.';
COMMENT ON COLUMN journey.checkpoints.occurred_at IS 'The state holds after all touchpoints of this time.';
COMMENT ON COLUMN journey.checkpoints.payload IS 'Packed state.';

CREATE TABLE journey.conversions (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    goal integer NOT NULL,
    further_id uuid,
    shape integer NOT NULL,
    is_first boolean NOT NULL,
    stage_before smallint NOT NULL,
    value_micros bigint,
    margin_micros bigint,
    touch_count integer NOT NULL,
    touches bytea NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (anchor, occurred_at, event_id, goal)
);
COMMENT ON TABLE journey.conversions IS 'Conversions with the touches that share their credit (convergent, but codes).';
COMMENT ON COLUMN journey.conversions.anchor IS 'Short key of the touchpoint''s anchor.';
COMMENT ON COLUMN journey.conversions.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.conversions.event_id IS 'Id of the touchpoint.';
COMMENT ON COLUMN journey.conversions.shape IS 'Shape of the touchpoint.';
COMMENT ON COLUMN journey.conversions.goal IS 'Code of the goal; a touchpoint may convert for several.';
COMMENT ON COLUMN journey.conversions.further_id IS 'Id of the conversion, if another goal of the touchpoint stands before; null: event_id.';
COMMENT ON COLUMN journey.conversions.is_first IS 'First conversion of the profile for this goal.';
COMMENT ON COLUMN journey.conversions.stage_before IS 'Stage before, 0 = none.';
COMMENT ON COLUMN journey.conversions.value_micros IS 'Value of the touchpoint, as in journey.facts.';
COMMENT ON COLUMN journey.conversions.margin_micros IS 'Its margin, as in journey.facts.';
COMMENT ON COLUMN journey.conversions.touch_count IS 'Number of eligible touches.';
COMMENT ON COLUMN journey.conversions.touches IS 'Eligible touches in order, each event_id, time in microseconds, shape (28 bytes).';
COMMENT ON COLUMN journey.conversions.loaded_at IS 'When it was stored first (chronicle).';

CREATE TABLE journey.repeats (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (anchor, occurred_at, event_id)
);
COMMENT ON TABLE journey.repeats IS 'Facts that do not count, because another fact of their profile is the same message (convergent).';
COMMENT ON COLUMN journey.repeats.anchor IS 'Short key of the fact''s anchor.';
COMMENT ON COLUMN journey.repeats.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.repeats.event_id IS 'Id of the touchpoint.';

CREATE TABLE journey.order_changes (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    goal integer NOT NULL,
    further_id uuid,
    shape integer NOT NULL,
    is_return boolean NOT NULL,
    is_full boolean NOT NULL,
    is_repeat boolean NOT NULL,
    order_anchor bigint,
    order_at timestamptz,
    order_event_id uuid,
    seller_shape integer NOT NULL,
    money_shape integer NOT NULL,
    share integer NOT NULL,
    value_micros bigint NOT NULL,
    margin_micros bigint,
    value_before bigint NOT NULL,
    margin_before bigint NOT NULL,
    over_micros bigint NOT NULL,
    touch_count integer NOT NULL,
    touches bytea NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (anchor, occurred_at, event_id, goal)
);
COMMENT ON TABLE journey.order_changes IS 'Returns, and further tellings of orders, also those that change nothing, for each goal of the order (convergent, but codes).';
COMMENT ON COLUMN journey.order_changes.anchor IS 'Short key of the touchpoint''s anchor.';
COMMENT ON COLUMN journey.order_changes.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journey.order_changes.event_id IS 'Id of the touchpoint.';
COMMENT ON COLUMN journey.order_changes.shape IS 'Shape of the touchpoint.';
COMMENT ON COLUMN journey.order_changes.is_return IS 'A return; else another telling of the order.';
COMMENT ON COLUMN journey.order_changes.is_full IS 'The return that left nothing of the order.';
COMMENT ON COLUMN journey.order_changes.is_repeat IS 'Another system told this return before.';
COMMENT ON COLUMN journey.order_changes.order_anchor IS 'Anchor of the order''s touchpoint; null: no order is known.';
COMMENT ON COLUMN journey.order_changes.order_at IS 'Its time.';
COMMENT ON COLUMN journey.order_changes.order_event_id IS 'Its id.';
COMMENT ON COLUMN journey.order_changes.goal IS 'Code of the goal, 0 = none; the amounts are the same for each goal of the order.';
COMMENT ON COLUMN journey.order_changes.further_id IS 'Id of the row, if another goal of the order stands before; null: event_id.';
COMMENT ON COLUMN journey.order_changes.seller_shape IS 'Shape of the touchpoint that sold: its department.';
COMMENT ON COLUMN journey.order_changes.money_shape IS 'Shape of the touchpoint that told the value: its currency.';
COMMENT ON COLUMN journey.order_changes.share IS 'Change of the conversion, in millionths.';
COMMENT ON COLUMN journey.order_changes.value_micros IS 'Change of the value that the touches share, signed.';
COMMENT ON COLUMN journey.order_changes.margin_micros IS 'Change of the margin, signed; null: the order has none.';
COMMENT ON COLUMN journey.order_changes.value_before IS 'Value that the touches shared before.';
COMMENT ON COLUMN journey.order_changes.margin_before IS 'Margin that they shared before.';
COMMENT ON COLUMN journey.order_changes.over_micros IS 'What was returned beyond the value of the order: 0 or below, unattributed.';
COMMENT ON COLUMN journey.order_changes.touch_count IS 'Number of touches that share.';
COMMENT ON COLUMN journey.order_changes.touches IS 'These touches, as in journey.conversions.';
COMMENT ON COLUMN journey.order_changes.loaded_at IS 'When it was stored first (chronicle).';

CREATE TABLE journey.stage_changes (
    stage_change_id uuid NOT NULL,
    touchpoint_id uuid NOT NULL,
    anchor bigint NOT NULL,
    journey_number integer NOT NULL,
    changed_at timestamptz NOT NULL,
    from_stage smallint NOT NULL,
    to_stage smallint NOT NULL,
    from_status smallint NOT NULL,
    to_status smallint NOT NULL,
    reason smallint NOT NULL,
    seconds_in_stage bigint,
    position smallint NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (anchor, changed_at, stage_change_id)
);
COMMENT ON TABLE journey.stage_changes IS 'Changes of stage or status that took effect before the last inbound touch (convergent).';
COMMENT ON COLUMN journey.stage_changes.stage_change_id IS 'Id of the touch, or of the deadline it set.';
COMMENT ON COLUMN journey.stage_changes.touchpoint_id IS 'The touch.';
COMMENT ON COLUMN journey.stage_changes.anchor IS 'Short key of its anchor.';
COMMENT ON COLUMN journey.stage_changes.journey_number IS 'Instance of the journey.';
COMMENT ON COLUMN journey.stage_changes.changed_at IS 'When it takes effect.';
COMMENT ON COLUMN journey.stage_changes.from_stage IS 'Stage before, 0 = none.';
COMMENT ON COLUMN journey.stage_changes.to_stage IS 'Stage after, 0 = none.';
COMMENT ON COLUMN journey.stage_changes.from_status IS 'Status before, 0 = none.';
COMMENT ON COLUMN journey.stage_changes.to_status IS 'Status after.';
COMMENT ON COLUMN journey.stage_changes.reason IS '1 rule, 2 inactivity, 3 exit.';
COMMENT ON COLUMN journey.stage_changes.seconds_in_stage IS 'Seconds since the last change of stage.';
COMMENT ON COLUMN journey.stage_changes.position IS 'Place among the changes of the customer at that time, from 1.';
COMMENT ON COLUMN journey.stage_changes.loaded_at IS 'When it was stored first (chronicle).';

CREATE TABLE journey.responses (
    anchor bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    rank smallint NOT NULL,
    send_id uuid NOT NULL,
    sent_at timestamptz NOT NULL,
    send_shape integer NOT NULL,
    shape integer NOT NULL,
    local_hour smallint NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (anchor, occurred_at, event_id)
);
COMMENT ON TABLE journey.responses IS 'Which touches answer which sends (convergent, but loaded_at).';
COMMENT ON COLUMN journey.responses.anchor IS 'Short key of the anchor of the answer.';
COMMENT ON COLUMN journey.responses.occurred_at IS 'When it was answered.';
COMMENT ON COLUMN journey.responses.event_id IS 'The touchpoint that answers.';
COMMENT ON COLUMN journey.responses.rank IS 'Its place within its instant, 0 to 4.';
COMMENT ON COLUMN journey.responses.send_id IS 'The touchpoint that was sent.';
COMMENT ON COLUMN journey.responses.sent_at IS 'When it was sent.';
COMMENT ON COLUMN journey.responses.send_shape IS 'Its combination of attributes.';
COMMENT ON COLUMN journey.responses.shape IS 'Combination of attributes of the answer.';
COMMENT ON COLUMN journey.responses.local_hour IS 'Hour of the answer in the zone of the person.';
COMMENT ON COLUMN journey.responses.loaded_at IS 'When it was stored (chronicle).';

CREATE TABLE journey.memberships (
    anchor bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    segment integer NOT NULL,
    event_id uuid NOT NULL,
    is_in boolean NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (anchor, changed_at, segment, event_id)
);
COMMENT ON TABLE journey.memberships IS 'Changes of membership of segments before the instant of the last touchpoint; later ones follow from the state (convergent, but codes).';
COMMENT ON COLUMN journey.memberships.anchor IS 'Short key of the anchor of the last touchpoint at or before the change.';
COMMENT ON COLUMN journey.memberships.changed_at IS 'When it takes effect.';
COMMENT ON COLUMN journey.memberships.segment IS 'Code of the segment.';
COMMENT ON COLUMN journey.memberships.event_id IS 'Id of that touchpoint.';
COMMENT ON COLUMN journey.memberships.is_in IS 'The customer enters the segment; else leaves it.';
COMMENT ON COLUMN journey.memberships.loaded_at IS 'When it was stored first (chronicle).';

CREATE TABLE journey.opportunities (
    opportunity_id uuid NOT NULL,
    step smallint NOT NULL,
    anchor bigint NOT NULL,
    rule integer NOT NULL,
    offer integer NOT NULL,
    by_anchor bigint NOT NULL,
    by_at timestamptz NOT NULL,
    by_event_id uuid NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (opportunity_id, step, by_at, by_event_id, by_anchor)
);
CREATE INDEX opportunities_anchor ON journey.opportunities (anchor);
COMMENT ON TABLE journey.opportunities IS 'What touchpoints did to opportunities, step by step (convergent, but codes).';
COMMENT ON COLUMN journey.opportunities.opportunity_id IS 'The opportunity.';
COMMENT ON COLUMN journey.opportunities.step IS '1 opened, 2 accepted, 3 won, 4 cancelled, 5 declined, 6 another trigger that it covers.';
COMMENT ON COLUMN journey.opportunities.anchor IS 'Short key of the anchor of the trigger that opened it.';
COMMENT ON COLUMN journey.opportunities.rule IS 'Code of the rule.';
COMMENT ON COLUMN journey.opportunities.offer IS 'Code of the offer.';
COMMENT ON COLUMN journey.opportunities.by_anchor IS 'Short key of the anchor of the touchpoint that took the step.';
COMMENT ON COLUMN journey.opportunities.by_at IS 'Its time.';
COMMENT ON COLUMN journey.opportunities.by_event_id IS 'Its id.';
COMMENT ON COLUMN journey.opportunities.loaded_at IS 'When it was stored first (chronicle).';

CREATE TABLE journey.lanes (
    lane integer PRIMARY KEY,
    seq bigint NOT NULL,
    pub_seq bigint NOT NULL,
    out_partition integer NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE journey.lanes IS 'Numbering of the signed diffs (chronicle).';
COMMENT ON COLUMN journey.lanes.lane IS 'Input partition whose flushes number it.';
COMMENT ON COLUMN journey.lanes.seq IS 'Last number given.';
COMMENT ON COLUMN journey.lanes.pub_seq IS 'Last number of the acknowledged prefix.';
COMMENT ON COLUMN journey.lanes.out_partition IS 'Partition of the diff topic, frozen at the first use.';

CREATE TABLE journey.outbox (
    lane integer NOT NULL,
    seq bigint NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (lane, seq)
);
ALTER TABLE journey.outbox ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON TABLE journey.outbox IS 'Numbered diffs until metrics-aggregator has applied them (chronicle).';
COMMENT ON COLUMN journey.outbox.lane IS 'Lane.';
COMMENT ON COLUMN journey.outbox.seq IS 'Number within the lane, without gaps.';
COMMENT ON COLUMN journey.outbox.payload IS 'The message as it is sent.';

CREATE TABLE journey.message_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane integer NOT NULL,
    payload bytea NOT NULL
);
ALTER TABLE journey.message_outbox ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON TABLE journey.message_outbox IS 'Messages about stages and opportunities that are not yet acknowledged by Kafka (chronicle).';
COMMENT ON COLUMN journey.message_outbox.id IS 'Grows with the transactions about one customer: the version of its messages, and the order of sending.';
COMMENT ON COLUMN journey.message_outbox.lane IS 'Lane whose owner sends it.';
COMMENT ON COLUMN journey.message_outbox.payload IS 'The messages of one transaction: topic, profile id (the key), length and bytes of each.';

SELECT tutti_meta.give_slots('tutti_journey', 'journey.shape_meanings', 'journey.traits', 'journey.sales', 'journey.sale_copies',
                             'journey.states', 'journey.checkpoints', 'journey.conversions', 'journey.repeats', 'journey.order_changes', 'journey.stage_changes', 'journey.responses',
                             'journey.memberships', 'journey.opportunities');

-- Shapes with what the active policies make of them.
CREATE VIEW active.shapes AS
SELECT s.shape, s.source, s.type, s.event, s.channel, s.direction, s.department, s.purpose, s.contact_class, s.platform, s.campaign_id,
       s.campaign_name, s.is_bot, s.score_kind, s.currency, s.product_category, s.device_type, s.country,
       m.network, m.touch_kind, m.is_goal_event, m.needs_value, m.shown_direction, m.is_touch, m.is_money, m.is_money_with_value,
       m.is_return_event, m.opens_case, m.ends_case
FROM journey.shapes AS s
JOIN active.shape_meanings AS m USING (shape);

GRANT USAGE ON SCHEMA journey TO tutti_journey, tutti_metrics;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA journey TO tutti_journey;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA journey TO tutti_journey;

-- What metrics-aggregator may see here.
CREATE VIEW journey.diff_outbox AS SELECT lane, seq, payload FROM journey.outbox;
COMMENT ON VIEW journey.diff_outbox IS 'Diffs for metrics-aggregator to fill a gap from.';
COMMENT ON COLUMN journey.diff_outbox.lane IS 'Lane.';
COMMENT ON COLUMN journey.diff_outbox.seq IS 'Number within the lane.';
COMMENT ON COLUMN journey.diff_outbox.payload IS 'The message as it is sent.';
GRANT SELECT ON journey.diff_outbox, journey.policies TO tutti_metrics;

-- migrate:down
DROP SCHEMA journey CASCADE;
