/* suppression_service.c: the callbacks of suppression: what matters goes into the ledger, decisions
 * go out through the outbox. */
#include "services/suppression/suppression_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/codec/messages.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/telemetry.h"
#include "common/service/lanes.h"
#include "common/service/topic_names.h"
#include "common/words/words.h"
#include "services/suppression/logic/consent.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_touchpoint.h"
#include "services/suppression/suppression_transact.h"

enum { TOPIC_RESOLVED, TOPIC_CHANGES };

/* Pairs of an anchor and an address whose row is written: nearly every touchpoint names one. */
enum { MOST_PAIRS = 200000 };

/* Of more sources the log does not say whether their preferences can be read. */
enum { MOST_UNREADABLE = 1000 };

struct address_pair {
    int64_t anchor, address;
};

/* Days of places whose row is written: nearly every touchpoint tells one. */
enum { MOST_PLACES = 200000 };

struct place_key {
    int64_t anchor, kind;
    struct id value; /* hash of the text */
};

struct place_days {
    int32_t first, last;
};

struct self {
    struct service_context context;
    struct suppression suppression;
    struct interests interests;
    struct arena arena; /* policy */
    struct erased erased;
    struct map pairs;     /* struct address_pair -> struct instant: first_at as it is stored */
    struct map places;    /* struct place_key -> struct place_days, as they are stored */
    int64_t seen_version; /* of the erasures that both heed */
    int decisions_topic;
    struct duration rescue_after;
    struct lanes lanes;         /* of the assigned partitions */
    struct outbox_rows scanned; /* sent by scan, waiting for acknowledgement; in scan_arena */
    struct arena scan_arena;
    struct map unreadable; /* hash of a source whose preferences could not be read -> bool */
    struct metric *waits, *facts, *undefined, *preferences_unreadable, *vain_ends, *unpublished;
};

static const struct setting settings[] = {
    {"topic.resolved", SETTING_TEXT, OUR_TOPIC_RESOLVED, 0, 0, NULL,
     "Input: touchpoints with their profile."},
    {"topic.identity.changes", SETTING_TEXT, OUR_TOPIC_IDENTITY_CHANGES, 0, 0, NULL,
     "Input: identifiers that moved."},
    {"topic.decisions", SETTING_TEXT, OUR_TOPIC_DECISIONS, 0, 0, NULL,
     "Output: verdicts and revocations."},
    {"outbox.rescue.after", SETTING_DURATION, "5s", 100000, 3600000000, NULL,
     "Decisions that another instance has left unpublished for so long are published by the owner "
     "of their partition."},
    {"flush.interval", SETTING_DURATION, "20ms", 1000, 60000000, NULL,
     "A batch is run at the latest so long after its first record; short, because a channel waits "
     "for the answer."},
    {0},
};

static const char *const topic_settings[] = {"topic.resolved", "topic.identity.changes", NULL};

/* ---- opening, closing ---- */

static void suppression_close(void *arg)
{
    struct self *self = arg;
    timeline_free(self->suppression.timeline);
    erased_close(&self->erased);
    map_free(&self->pairs);
    map_free(&self->places);
    map_free(&self->unreadable);
    arena_free(&self->arena);
    arena_free(&self->scan_arena);
    lanes_free(&self->lanes);
}

static void open_metrics(struct self *self)
{
    self->waits =
        metric_histogram("contact_decision_seconds", "",
                         "From a request's record in Kafka to its acknowledged decision.", NULL, 0);
    self->facts =
        metric_counter("contact_facts_total", "", "Touchpoints that contact decisions ask for.");
    self->undefined = metric_counter(
        "consent_words_undefined_total", "",
        "Words of consent maps that mean nothing in this policy; tutti doctor names them.");
    self->preferences_unreadable =
        metric_counter("preferences_unreadable_total", "",
                       "Preferences of customers that are unknown or cannot be meant.");
    self->vain_ends = metric_counter(
        "contact_releases_vain_total", "",
        "Releases of a hold that nothing known belongs to: by time, case and order.");
    self->unpublished = metric_gauge(
        "outbox_unpublished", "", "Decisions found committed but not published by the last scan.");
}

/* Unique enough among the instances that share an outbox. */
static int64_t new_instance(void)
{
    uint64_t v = (uint64_t)clock_now().us * UINT64_C(0x9E3779B97F4A7C15) ^
                 (uint64_t)getpid() << 32 ^ (uint64_t)clock_monotonic_us();
    return (int64_t)v;
}

static enum outcome read_policy(const struct policy_source *source, struct arena *arena,
                                struct contact_policy *policy, struct err *err)
{
    const struct json *document;
    CHECK(policy_source_read(source, arena, "contact.json", &document, err));
    return suppression_policy_take(arena, document, policy, err);
}

static enum outcome suppression_check(const struct config *config, struct err *err)
{
    struct arena arena = {0};
    struct contact_policy policy = {0};
    struct policy_source source = policy_source_of(config);
    enum outcome outcome =
        source.is_database ? OUTCOME_OK : read_policy(&source, &arena, &policy, err);
    arena_free(&arena);
    return outcome;
}

static enum outcome suppression_open(struct service_context *context, void *arg, struct err *err)
{
    struct self *self = arg;
    const struct config *config = context->config;
    struct suppression *s = &self->suppression;
    self->context = *context;
    s->db = context->db;
    s->timeline = timeline_new(&suppression_timeline);
    s->instance = new_instance();
    self->rescue_after = config_duration(config, "outbox.rescue.after");
    open_metrics(self);
    CHECK(policy_source_fetch(context->db, context->policies, err));
    CHECK(read_policy(context->policies, &self->arena, &s->policy, err));
    CHECK(generation_open(context->db, context->policies, &s->generation, err));
    CHECK(suppression_load_zones(s, &self->arena, err));
    CHECK(erased_open(context->db, &self->erased, err));
    s->erased = &self->erased;
    map_init(&self->pairs, NULL, sizeof(struct address_pair), sizeof(struct instant));
    map_init(&self->places, NULL, sizeof(struct place_key), sizeof(struct place_days));
    map_init(&self->unreadable, NULL, sizeof(struct id), sizeof(bool));
    self->interests = suppression_interests(&self->arena, &s->policy);
    if (context->producer == NULL)
        return OUTCOME_OK;
    return producer_topic(context->producer, config_text(config, "topic.decisions"),
                          &self->decisions_topic, NULL, err);
}

static void suppression_assigned(void *arg, const int *topics, const int32_t *partitions,
                                 size_t count)
{
    struct self *self = arg;
    lanes_assign(&self->lanes, topics, partitions, count);
}

/* ---- decoding ---- */

static struct suppression_flush *flush_of(struct batch *batch, const struct record *record)
{
    if (batch->events == NULL) {
        struct suppression_flush *flush = arena_new(batch->arena, struct suppression_flush);
        flush->lane = lane_of(record->topic, record->partition);
        batch->events = flush;
    }
    return batch->events;
}

static void add_key(struct strbuf *keys, const struct id *identifier_id, struct span address_of,
                    struct span channel)
{
    if (address_channels_have(address_of, channel))
        pack_be64(keys, (uint64_t)id_short(identifier_id));
}

/* What the touchpoint names and its channel uses as an address. */
static struct span addresses_of(const struct self *self, struct arena *arena,
                                const struct resolved_header *header, struct span sent)
{
    struct strbuf keys = {.arena = arena};
    struct span channel;
    policy_channel(&self->suppression.policy, sent, &channel);
    add_key(&keys, &header->anchor_id, header->address_of, channel);
    for (uint32_t i = 0; i < header->other_count; i++)
        add_key(&keys, &header->others[i].identifier_id, header->others[i].address_of, channel);
    return keys.len ? strbuf_span(&keys) : SPAN_NONE;
}

/* The anchors of the addresses that a request names are locked with its own: who says no for one of
 * them finds the grant, or the request finds the no. */
static void lock_addresses(struct suppression_flush *flush, struct arena *arena,
                           const struct resolved_header *header, const struct contact_fact *request)
{
    for (uint32_t i = 0; i < header->other_count; i++) {
        const struct resolved_other *other = &header->others[i];
        if (contact_has_address(request, id_short(&other->identifier_id)))
            *arena_push(arena, &flush->named) =
                (struct anchor_move){other->identifier_id, other->profile_id, other->map_version};
    }
}

static void add_fact(struct self *self, struct batch *batch, const struct record *record,
                     const struct resolved_header *header, const struct touchpoint *tp,
                     const struct contact_fact *body)
{
    struct suppression_flush *flush = flush_of(batch, record);
    bool is_identified = !id_is_nil(&header->anchor_id);
    bool is_request = body->kind == CONTACT_REQUEST;
    if (!is_identified && !is_request)
        return;
    struct ledger_fact *fact =
        arena_push(batch->arena, is_identified ? &flush->facts : &flush->unidentified);
    *fact = (struct ledger_fact){
        .key = {id_short(&header->anchor_id), body->at, header->event_id},
        .body = *body,
        .decision = id_is_nil(&body->decision_id) ? SPAN_NONE : tp->decision_id,
        .anchor_id = header->anchor_id,
        .profile_id = header->profile_id,
        .version = header->map_version,
        .batch_id = is_request && tp->contact.batch_id.len ? tp->contact.batch_id : SPAN_NONE,
        .opportunity_id = is_request && tp->opportunity_id.len ? tp->opportunity_id : SPAN_NONE,
        .timestamp_ms = record->timestamp_ms,
        .lane = lane_of(record->topic, record->partition),
    };
    fact->body.event_id = header->event_id;
    fact->body.anchor = fact->key.anchor;
    fact->body.others = resolved_other_keys(batch->arena, header);
    fact->body.addresses = addresses_of(self, batch->arena, header, body->channel);
    if (is_request && is_identified)
        lock_addresses(flush, batch->arena, header, &fact->body);
    if (!is_request || !record_header(record, "kafka_correlationId", &fact->correlation))
        fact->correlation = SPAN_NONE;
}

/* What the touchpoint says of the others that it names, too: each has its copy. Who was erased is
 * not among them any more. */
static void add_copies(struct self *self, struct batch *batch, const struct record *record,
                       const struct resolved_header *header, const struct contact_fact *body)
{
    struct contact_fact copy;
    if (header->other_count == 0 || !interests_read_copies(&self->interests, body) ||
        !contact_copy(body, &copy))
        return;
    struct suppression_flush *flush = flush_of(batch, record);
    copy.event_id = header->event_id;
    for (uint32_t i = 0; i < header->other_count; i++) {
        const struct resolved_other *other = &header->others[i];
        *arena_push(batch->arena, &flush->facts) = (struct ledger_fact){
            .key = {id_short(&other->identifier_id), body->at, header->event_id},
            .body = copy,
            .anchor_id = other->identifier_id,
            .profile_id = other->profile_id,
            .version = other->map_version,
            .timestamp_ms = record->timestamp_ms,
            .lane = lane_of(record->topic, record->partition),
        };
    }
}

/* What an address of one's own profile said is in the ledger. What another one said before may
 * forbid what was granted. */
static void note_seen(struct suppression_flush *flush, struct arena *arena,
                      const struct resolved_header *header, const struct resolved_other *address)
{
    if (id_equal(&header->profile_id, &address->profile_id))
        return;
    *arena_push(arena, &flush->moves) =
        (struct anchor_move){header->anchor_id, header->profile_id, header->map_version};
    *arena_push(arena, &flush->seen) = id_short(&header->anchor_id);
}

static void add_known_address(struct self *self, struct batch *batch, const struct record *record,
                              const struct resolved_header *header,
                              const struct resolved_other *address, struct instant at)
{
    struct address_pair pair = {id_short(&header->anchor_id), id_short(&address->identifier_id)};
    const struct instant *first_at;
    if (address->address_of.len == 0)
        return;
    first_at = map_find(&self->pairs, &pair);
    if (first_at && instant_compare(*first_at, at) <= 0)
        return;
    *arena_push(batch->arena, &flush_of(batch, record)->known) =
        (struct known_address){pair.anchor, address->identifier_id, address->address_of, at};
    *arena_push(batch->arena, &flush_of(batch, record)->namers) =
        (struct anchor_move){header->anchor_id, header->profile_id, header->map_version};
    note_seen(flush_of(batch, record), batch->arena, header, address);
}

/* Addresses that the customer's own touchpoint names, of whatever event. */
static void add_known(struct self *self, struct batch *batch, const struct record *record,
                      const struct resolved_header *header, struct instant at)
{
    const struct resolved_other anchor = {header->anchor_id, header->profile_id,
                                          header->map_version, header->address_of};
    add_known_address(self, batch, record, header, &anchor, at);
    for (uint32_t i = 0; i < header->other_count; i++)
        add_known_address(self, batch, record, header, &header->others[i], at);
}

static struct place_key key_of(const struct place *place)
{
    return (struct place_key){place->anchor, place->kind, hash128(place->value)};
}

/* Where the touchpoint says that the customer is, of whatever event. */
static void add_places(struct self *self, struct batch *batch, const struct record *record,
                       const struct resolved_header *header, const struct touchpoint *tp)
{
    struct place_list told = {0};
    places_read(batch->arena, &self->suppression.zone_book, tp, id_short(&header->anchor_id),
                &told);
    for (size_t i = 0; i < told.count; i++) {
        const struct place *place = &told.items[i];
        struct place_key key = key_of(place);
        const struct place_days *days = map_find(&self->places, &key);
        if (days && days->first <= place->first_day && place->last_day <= days->last)
            continue;
        struct suppression_flush *flush = flush_of(batch, record);
        *arena_push(batch->arena, &flush->places) = *place;
        *arena_push(batch->arena, &flush->placed) =
            (struct anchor_move){header->anchor_id, header->profile_id, header->map_version};
    }
}

/* What the database has may be gone with somebody who was erased. */
static void forget_erased(struct self *self)
{
    if (self->seen_version == self->erased.version)
        return;
    map_clear(&self->pairs);
    map_clear(&self->places);
    self->seen_version = self->erased.version;
}

static bool is_company_speaking(const struct touchpoint *tp)
{
    return suppression_is_outbound(tp->direction, tp->type, event_of(tp->event_name, tp->type));
}

/* A preference centre that misspells a key is told once. */
static void note_unreadable(struct self *self, struct arena *arena, const struct touchpoint *tp,
                            size_t count)
{
    struct id source = hash128(tp->source);
    bool is_new = false;
    metric_add(self->preferences_unreadable, (double)count);
    if (count == 0 || self->unreadable.count >= MOST_UNREADABLE)
        return;
    map_put(&self->unreadable, &source, &is_new);
    if (is_new)
        log_event(LOG_WARN, "preferences_unreadable", "source", arena_copy(arena, tp->source).ptr,
                  "message",
                  "keys of preferences_json are unknown or cannot be meant; they have no effect",
                  NULL);
}

/* Nearly all touchpoints end here after one decode, and one look for each of their addresses. */
static enum outcome decode_resolved(struct self *self, struct batch *batch,
                                    const struct record *record, struct err *err)
{
    struct resolved_header header;
    struct framed framed;
    struct touchpoint tp;
    struct contact_fact body;
    CHECK(
        resolved_decode(self->context.schemas, batch->arena, record->value, &header, &framed, err));
    CHECK(touchpoint_decode(framed.plan, framed.payload, &tp, err));
    if (tp.is_test)
        return OUTCOME_OK;
    size_t unreadable;
    bool is_wanted = suppression_wants(&self->interests, &tp, batch->arena, &body, &unreadable),
         is_outbound = is_company_speaking(&tp),
         is_gone = erased_covers_resolved(&self->erased, &header, batch->arena,
                                          (struct instant){tp.occurred_at});
    bool is_anybodys = !is_gone && !id_is_nil(&header.anchor_id);
    forget_erased(self);
    if (is_anybodys && self->suppression.policy.asks_zones)
        add_places(self, batch, record, &header, &tp);
    if (!is_outbound && is_anybodys)
        add_known(self, batch, record, &header, (struct instant){tp.occurred_at});
    note_unreadable(self, batch->arena, &tp, unreadable);
    if (!is_wanted)
        return OUTCOME_OK;
    body.received_at = suppression_received_at(&body, &tp, (struct instant){header.received_at});
    metric_add(self->undefined,
               (double)consent_undefined(&self->suppression.policy, &body, NULL, NULL));
    if (!is_gone)
        add_fact(self, batch, record, &header, &tp, &body);
    add_copies(self, batch, record, &header, &body);
    return OUTCOME_OK;
}

static enum outcome decode_change(struct self *self, struct batch *batch,
                                  const struct record *record, struct err *err)
{
    struct identity_change change;
    CHECK(identity_change_decode(batch->arena, record->value, &change, err));
    struct suppression_flush *flush = flush_of(batch, record);
    for (uint32_t i = 0; i < change.move_count; i++) {
        const struct identity_move *move = &change.moves[i];
        if (!erased_covers_move(&self->erased, &change, move))
            *arena_push(batch->arena, &flush->moves) = (struct anchor_move){
                move->identifier_id, move->profile_id, identity_move_version(&change, move)};
    }
    return OUTCOME_OK;
}

static enum outcome suppression_decode(void *arg, struct batch *batch, const struct record *record,
                                       struct err *err)
{
    return record->topic == TOPIC_CHANGES ? decode_change(arg, batch, record, err)
                                          : decode_resolved(arg, batch, record, err);
}

/* ---- deciding ---- */

static size_t count_originals(const struct ledger_facts *facts)
{
    size_t originals = 0;
    for (size_t i = 0; i < facts->count; i++)
        originals += !(facts->items[i].body.flags & CONTACT_IS_COPY);
    return originals;
}

/* Their rows are written. */
static void remember_pairs(struct self *self, const struct known_addresses *known)
{
    if (self->pairs.count + known->count > MOST_PAIRS)
        map_clear(&self->pairs);
    for (size_t i = 0; i < known->count; i++) {
        const struct known_address *row = &known->items[i];
        struct address_pair pair = {row->anchor, id_short(&row->address_id)};
        *(struct instant *)map_put(&self->pairs, &pair, NULL) = row->first_at;
    }
}

static void remember_places(struct self *self, const struct place_list *places)
{
    if (self->places.count + places->count > MOST_PLACES)
        map_clear(&self->places);
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        struct place_key key = key_of(place);
        bool is_new;
        struct place_days *days = map_put(&self->places, &key, &is_new);
        if (is_new || place->first_day < days->first)
            days->first = place->first_day;
        if (is_new || place->last_day > days->last)
            days->last = place->last_day;
    }
}

static enum outcome suppression_apply(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct suppression_flush *flush = batch->events;
    if (flush == NULL || flush->facts.count + flush->moves.count + flush->unidentified.count +
                                 flush->known.count + flush->places.count ==
                             0)
        return OUTCOME_OK;
    CHECK(suppression_transact(&self->suppression, batch->arena, flush, batch->now, err));
    remember_pairs(self, &flush->known);
    remember_places(self, &flush->places);
    metric_add(self->facts, (double)count_originals(&flush->facts));
    metric_add(self->vain_ends, (double)flush->vain_ends);
    return OUTCOME_OK;
}

enum outcome suppression_service_claim(const void *arg, struct arena *arena, struct claim *claims,
                                       size_t count, struct instant now, struct err *err)
{
    const struct self *self = arg;
    return suppression_claim(&self->suppression, arena, claims, count, now, err);
}

enum outcome suppression_service_preferred(const void *arg, struct arena *arena,
                                           const struct id *profile_id, struct contact_names *out,
                                           struct err *err)
{
    const struct self *self = arg;
    return suppression_preferred(&self->suppression, arena, profile_id, out, err);
}

/* ---- publishing ---- */

static enum outcome send(struct self *self, const struct suppression_outbox_row *row,
                         struct err *err)
{
    char key[37];
    struct header headers[3];
    size_t n = 0;
    id_to_uuid(&row->profile_id, key);
    headers[n++] = (struct header){"channel", row->channel};
    if (row->department.len)
        headers[n++] = (struct header){"department", row->department};
    if (row->correlation.ptr)
        headers[n++] = (struct header){"kafka_correlationId", row->correlation};
    return producer_send(self->context.producer, self->decisions_topic, -1, (struct span){key, 36},
                         row->payload, headers, n, err);
}

static enum outcome suppression_publish(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    const struct suppression_flush *flush = batch->events;
    for (size_t i = 0; flush && i < flush->messages.count; i++)
        CHECK(send(self, &flush->messages.items[i], err));
    return OUTCOME_OK;
}

static const char *known_channel(struct span channel)
{
    for (size_t i = 0; channel_words[i]; i++)
        if (span_is(channel, channel_words[i]))
            return channel_words[i];
    return "other";
}

static void count_decision(struct self *self, const struct decision_row *row, struct instant now)
{
    static const char *const verdicts[] = {
        [VERDICT_GRANT] = "grant", [VERDICT_DENY] = "deny", [VERDICT_INVALID] = "invalid"};
    char labels[160];
    struct span reason = row->reason.ptr ? row->reason : SPAN("none");
    snprintf(labels, sizeof labels, "channel=\"%s\",verdict=\"%s\",reason=\"" SPAN_FMT "\"",
             known_channel(row->channel), verdicts[row->verdict], SPAN_ARG(reason));
    metric_add(metric_counter("contact_decisions_total", labels, "Verdicts on contact requests."),
               1);
    if (row->waited_us != INT64_MIN)
        metric_observe(self->waits, (double)(row->waited_us + clock_now().us - now.us) / 1e6);
}

static enum outcome suppression_finished(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    const struct suppression_flush *flush = batch->events;
    if (flush == NULL)
        return OUTCOME_OK;
    for (size_t i = 0; i < flush->decisions.count; i++)
        if (flush->decisions.items[i].is_inserted)
            count_decision(self, &flush->decisions.items[i], batch->now);
    return suppression_store_delete_outbox(self->context.db, batch->arena, flush->messages.items,
                                           flush->messages.count, err);
}

/* What this process wrote is its own to send at once; what another wrote has to be old, or both
 * would send it. */
static enum outcome suppression_scan(void *arg, struct arena *arena, struct err *err)
{
    struct self *self = arg;
    self->scanned = (struct outbox_rows){0};
    arena_reset(&self->scan_arena);
    struct outbox_rows rows = {0};
    CHECK(suppression_store_find_outbox(self->context.db, &self->scan_arena,
                                        self->suppression.instance, self->lanes.items,
                                        self->lanes.count, self->rescue_after, &rows, err));
    metric_set(self->unpublished, (double)rows.count);
    for (size_t i = 0; i < rows.count; i++)
        CHECK(send(self, &rows.items[i], err));
    self->scanned = rows;
    return addresses_expire_grants(self->context.db, err);
}

static enum outcome suppression_scanned(void *arg, struct err *err)
{
    struct self *self = arg;
    struct outbox_rows rows = self->scanned;
    self->scanned = (struct outbox_rows){0};
    return suppression_store_delete_outbox(self->context.db, &self->scan_arena, rows.items,
                                           rows.count, err);
}

const struct service suppression_service = {
    .name = "suppression",
    .settings = settings,
    .topic_settings = topic_settings,
    .reads_touchpoints = true,
    .check = suppression_check,
    .self_size = sizeof(struct self),
    .open = suppression_open,
    .close = suppression_close,
    .assigned = suppression_assigned,
    .decode = suppression_decode,
    .apply = suppression_apply,
    .publish = suppression_publish,
    .finished = suppression_finished,
    .scan = suppression_scan,
    .scanned = suppression_scanned,
};
