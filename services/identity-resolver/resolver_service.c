/* resolver_service.c: the five callbacks of identity-resolver. */
#include "services/identity-resolver/resolver_service.h"

#include <stdlib.h>

#include "common/codec/messages.h"
#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "services/identity-resolver/identity_policy.h"
#include "services/identity-resolver/identity_rules_store.h"
#include "services/identity-resolver/resolver_metrics.h"

enum { KEYS_LEASE_US = 1000000 };

#define FUTURE_LIMIT_US (INT64_C(24) * 3600 * US_PER_SECOND)

struct event {
    const struct record *record;
    struct framed framed;
    struct sighting sighting;        /* id_count 0: unidentified */
    struct cached_identifier *known; /* of its identifiers, what the cache had before the batch; nil profile: nothing */
    bool is_covered;
    bool is_unsure; /* not all of its hashes lead to an id yet; only where keys were exchanged */
};

struct unidentified_rows {
    struct unidentified_row *items;
    size_t count, capacity;
};

struct events {
    struct event *items;
    size_t count, capacity;
    struct unidentified_rows unidentified;
    struct committed_change change;
};

struct self {
    struct service_context context;
    struct resolver resolver;
    struct arena arena; /* policy file */
    enum framing framing;
    int resolved_topic, changes_topic;
    int32_t resolved_partitions;
    int64_t *scanned_versions; /* sent by scan, waiting for acknowledgement */
    size_t scanned_count;
    struct seal_keys raw_keys;
    struct erased erased;
    int64_t forgotten;       /* erasures up to this version are out of the cache */
    struct id_finder finder; /* of the batch, where keys were exchanged */
    int64_t keys_followed_us;
    struct resolver_metrics metrics;
};

static const struct setting settings[] = {
    {"topic.touchpoints", SETTING_TEXT, "^touchpoints\\..*\\.v1$", 0, 0, NULL,
     "Input topics: a name, or a regex that starts with ^."},
    {"topic.resolved", SETTING_TEXT, "tutti.touchpoints-resolved.v1", 0, 0, NULL, "Output: touchpoints with their profile."},
    {"topic.identity.changes", SETTING_TEXT, "tutti.identity-changes.v1", 0, 0, NULL, "Output: identifiers that moved."},
    {"input.framing", SETTING_CHOICE, "confluent", 0, 0, "confluent|raw|single_object", "Framing of the input values."},
    {"cache.bytes", SETTING_BYTES, "256MB", 1 << 20, INT64_C(1) << 40, NULL, "Memory for known identifiers and links."},
    {"cache.warm", SETTING_INT, "0", 0, 100000000, NULL,
     "About this many identifiers, and as many links, are read into the cache at the start: those written last."},
    {"privacy.raw_values", SETTING_BOOL, "false", 0, 0, NULL,
     "Keep the values of new identifiers in identity.raw_values, sealed with the key of privacy.key_file."},
    {"privacy.key_file", SETTING_TEXT, "", 0, 0, NULL, "File with the privacy key: 32 bytes, or that many in hexadecimal."},
    {0},
};

static const char *const topic_settings[] = {"topic.touchpoints", NULL};

static enum outcome read_files(const struct config *config, struct arena *arena, struct resolver *resolver, struct strbuf *text,
                               struct err *err)
{
    const char *path = generation_policy_path(arena, config_text(config, "policy.dir"), "identity.json");
    CHECK(identity_policy_read(arena, path, &resolver->policy, err));
    CHECK(generation_read_file(text, path, err));
    resolver->keys.needs_next = true;
    return identity_keys_read(config, &resolver->keys, err);
}

static enum outcome read_raw_keys(const struct config *config, struct seal_keys *keys, struct resolver *resolver, struct err *err)
{
    const char *file = config_text(config, "privacy.key_file");
    if (!config_bool(config, "privacy.raw_values"))
        return OUTCOME_OK;
    if (*file == '\0')
        return err_set(err, OUTCOME_FATAL, "config_missing", "privacy.raw_values needs privacy.key_file");
    resolver->raw_keys = keys;
    return seal_keys_read(file, NULL, keys, err);
}

static enum outcome resolver_check(const struct config *config, struct err *err)
{
    struct arena arena = {0};
    struct resolver resolver = {0};
    struct strbuf text = {.arena = &arena};
    struct seal_keys keys;
    enum outcome outcome = read_files(config, &arena, &resolver, &text, err);
    if (outcome == OUTCOME_OK)
        outcome = read_raw_keys(config, &keys, &resolver, err);
    arena_free(&arena);
    return outcome;
}

/* The key and the anchor rules fix what stored identifiers mean: a database that was filled with others is refused. The rest of
 * the policy is what the database says is active; the file must be that one. */
static enum outcome claim_database(struct self *self, struct span policy, struct err *err)
{
    CHECK(resolver_claim_key(&self->resolver, &self->arena, err));
    CHECK(resolver_claim_rules(self->context.db, &self->arena, &self->resolver.policy, err));
    return resolver_claim_policy(&self->resolver, &self->arena, policy, err);
}

static enum outcome warm_up(struct self *self, struct err *err)
{
    struct arena arena = {0};
    int64_t count = config_int(self->context.config, "cache.warm");
    enum outcome o = count > 0 ? resolver_warm_up(&self->resolver, &arena, (size_t)count, err) : OUTCOME_OK;
    arena_free(&arena);
    metric_set(self->metrics.cache_bytes, (double)resolver_cache_bytes(&self->resolver.cache));
    return o;
}

static enum outcome open_parts(struct self *self, struct err *err)
{
    const struct service_context *context = &self->context;
    const struct config *config = context->config;
    struct generation generation;
    struct strbuf text = {.arena = &self->arena};
    self->resolver.db = context->db;
    const char *framing = config_text(config, "input.framing");
    self->framing = framing[0] == 'c' ? FRAMING_CONFLUENT : framing[0] == 'r' ? FRAMING_RAW : FRAMING_SINGLE_OBJECT;
    resolver_cache_open(&self->resolver.cache, (size_t)config_int(config, "cache.bytes"));
    resolver_metrics_open(&self->metrics);
    CHECK(read_files(config, &self->arena, &self->resolver, &text, err));
    CHECK(generation_open(context->db, config, &generation, err));
    CHECK(claim_database(self, strbuf_span(&text), err));
    CHECK(erased_open(context->db, &self->erased, err));
    self->resolver.erased = &self->erased;
    CHECK(read_raw_keys(config, &self->raw_keys, &self->resolver, err));
    CHECK(warm_up(self, err));
    CHECK(producer_topic(context->producer, config_text(config, "topic.resolved"), &self->resolved_topic,
                         &self->resolved_partitions, err));
    return producer_topic(context->producer, config_text(config, "topic.identity.changes"), &self->changes_topic, NULL, err);
}

static void close_service(void *arg)
{
    struct self *self = arg;
    resolver_close(&self->resolver);
    erased_close(&self->erased);
    arena_free(&self->arena);
    free(self->scanned_versions);
    free(self);
}

static enum outcome resolver_open(struct service_context *context, void **out, struct err *err)
{
    struct self *self = calloc(1, sizeof *self);
    if (self == NULL)
        abort();
    self->context = *context;
    enum outcome outcome = open_parts(self, err);
    if (outcome != OUTCOME_OK) {
        close_service(self);
        return outcome;
    }
    *out = self;
    return OUTCOME_OK;
}

static struct span direction_of(const struct touchpoint *tp)
{
    return span_is(tp->direction, "inbound") || span_is(tp->direction, "outbound") ? tp->direction : SPAN_NONE;
}

static void add_unidentified(struct batch *batch, struct events *events, const struct touchpoint *tp, const struct id *event_id)
{
    *arena_push(batch->arena, &events->unidentified) = (struct unidentified_row){
        .event_id = *event_id,
        .occurred_at = {tp->occurred_at},
        .received_at = {tp->received_at},
        .source = tp->source,
        .message_id = tp->message_id,
        .channel = tp->channel,
        .event_name = tp->event_name.len ? tp->event_name : tp->type,
        .direction = direction_of(tp),
        .department = tp->department,
        .purpose = tp->purpose,
    };
}

static struct typed_id *collect_ids(struct self *self, struct batch *batch, const struct touchpoint *tp, size_t *count)
{
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    struct map *values = self->resolver.raw_keys ? &self->resolver.raw_values : NULL;
    const struct identity_keys *keys = &self->resolver.keys;
    struct id_finder *finder = identity_keys_were_rotated(keys) ? &self->finder : NULL;
    *count = identity_collect_values(&self->resolver.policy, &keys->current, finder, tp, batch->arena, ids, values);
    struct typed_id *copy = arena_alloc(batch->arena, *count * sizeof *copy);
    memcpy(copy, ids, *count * sizeof *copy);
    return copy;
}

/* A touchpoint may be dated ahead: it is old if it was received before, too. */
static struct instant when_known(const struct event *event)
{
    struct instant occurred_at = event->sighting.occurred_at, received_at = {event->record->timestamp_ms * 1000};
    return received_at.us > 0 && instant_compare(received_at, occurred_at) < 0 ? received_at : occurred_at;
}

/* A replay must not bring back who was erased: true for a touchpoint of theirs. One of somebody else that names them goes on
 * without that identifier. */
static bool forget_erased(const struct self *self, struct typed_id *ids, struct event *event)
{
    struct sighting *sighting = &event->sighting;
    struct instant at = when_known(event);
    size_t kept = 0;
    for (size_t i = 0; i < sighting->id_count; i++)
        if (!erased_covers(&self->erased, &ids[i].id, at))
            ids[kept++] = ids[i];
        else if (i == 0)
            return true;
    sighting->id_count = kept;
    return false;
}

static struct events *events_of(struct self *self, struct batch *batch)
{
    if (batch->events)
        return batch->events;
    map_init(&self->resolver.raw_values, batch->arena, sizeof(struct id), sizeof(struct span));
    id_finder_start(&self->finder, &self->resolver.keys, &self->resolver.cache, batch->arena);
    return batch->events = arena_new(batch->arena, struct events);
}

static enum outcome resolver_decode(void *arg, struct batch *batch, const struct record *record, struct err *err)
{
    struct self *self = arg;
    struct span guid = SPAN_NONE;
    struct framed framed;
    struct touchpoint tp;
    record_header(record, "__value_schema_id", &guid);
    CHECK(schema_set_unframe(self->context.schemas, self->framing, record->value, guid, &framed, err));
    CHECK(avro_plan_decode(framed.plan, framed.payload, &tp, err));
    if (tp.occurred_at > batch->now.us + FUTURE_LIMIT_US)
        return err_set(err, OUTCOME_REJECT, "time_in_the_future", "occurred_at is more than 24 hours in the future");
    if (tp.is_test) {
        metric_add(self->metrics.tests, 1);
        return OUTCOME_OK;
    }
    struct events *events = events_of(self, batch);
    struct event event = {.record = record, .framed = framed, .sighting.occurred_at = {tp.occurred_at}};
    touchpoint_event_id(tp.source, tp.message_id, &event.sighting.event_id);
    size_t unsure = self->finder.unsure.count;
    struct typed_id *ids = collect_ids(self, batch, &tp, &event.sighting.id_count);
    event.sighting.ids = ids;
    event.is_unsure = self->finder.unsure.count > unsure;
    if (!event.is_unsure && forget_erased(self, ids, &event)) {
        metric_add(self->metrics.erased, 1);
        return OUTCOME_OK;
    }
    *arena_push(batch->arena, events) = event;
    if (event.sighting.id_count == 0)
        add_unidentified(batch, events, &tp, &event.sighting.event_id);
    return OUTCOME_OK;
}

/* Collected again, now that every hash leads to an id: which identifier is the anchor, and who was erased, goes by ids. */
static enum outcome make_sure(struct self *self, struct batch *batch, struct event *event, bool *is_erased, struct err *err)
{
    struct touchpoint tp;
    CHECK(avro_plan_decode(event->framed.plan, event->framed.payload, &tp, err));
    struct typed_id *ids = collect_ids(self, batch, &tp, &event->sighting.id_count);
    event->sighting.ids = ids;
    *is_erased = forget_erased(self, ids, event);
    metric_add(self->metrics.erased, *is_erased);
    return OUTCOME_OK;
}

static enum outcome follow_keys(struct self *self, struct batch *batch, struct err *err)
{
    int64_t now_us = clock_monotonic_us();
    if (now_us - self->keys_followed_us < KEYS_LEASE_US)
        return OUTCOME_OK;
    CHECK(resolver_follow_keys(&self->resolver, batch->arena, err));
    self->keys_followed_us = now_us;
    return OUTCOME_OK;
}

static enum outcome find_ids(struct self *self, struct batch *batch, struct events *events, struct err *err)
{
    size_t kept = 0, by_previous;
    if (self->finder.unsure.count == 0)
        return OUTCOME_OK;
    CHECK(resolver_find_ids(&self->resolver, batch->arena, &self->finder, &by_previous, err));
    metric_add(self->metrics.found_by_previous, (double)by_previous);
    for (size_t i = 0; i < events->count; i++) {
        bool is_erased = false;
        if (events->items[i].is_unsure)
            CHECK(make_sure(self, batch, &events->items[i], &is_erased, err));
        if (!is_erased)
            events->items[kept++] = events->items[i];
    }
    events->count = kept;
    return OUTCOME_OK;
}

/* The cache may forget them before the batch is published. */
static void remember_known(struct self *self, struct batch *batch, struct event *event)
{
    const struct sighting *s = &event->sighting;
    event->known = arena_array(batch->arena, struct cached_identifier, s->id_count);
    for (size_t i = 0; i < s->id_count; i++) {
        const struct cached_identifier *known = resolver_cache_identifier(&self->resolver.cache, &s->ids[i].id);
        if (known)
            event->known[i] = *known;
    }
}

static struct sightings uncovered_of(struct self *self, struct batch *batch, struct events *events)
{
    struct sightings uncovered = {0};
    for (size_t i = 0; i < events->count; i++) {
        struct event *event = &events->items[i];
        const struct sighting *s = &event->sighting;
        if (s->id_count == 0 || event->is_covered)
            continue;
        if (event->known == NULL)
            remember_known(self, batch, event);
        event->is_covered = resolver_is_covered(&self->resolver, s);
        if (!event->is_covered)
            *arena_push(batch->arena, &uncovered) = *s;
    }
    return uncovered;
}

static enum outcome store_unidentified(struct self *self, struct batch *batch, const struct events *events, struct err *err)
{
    if (events->unidentified.count == 0)
        return OUTCOME_OK;
    metric_add(self->metrics.unidentified, (double)events->unidentified.count);
    return store_insert_unidentified(self->context.db, batch->arena, events->unidentified.items, events->unidentified.count, err);
}

static enum outcome resolver_apply(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct events *events = batch->events;
    if (events == NULL)
        return OUTCOME_OK;
    CHECK(erased_check_lease(self->context.db, &self->erased, err)); /* what is covered opens no transaction */
    CHECK(follow_keys(self, batch, err));
    CHECK(find_ids(self, batch, events, err));
    CHECK(store_unidentified(self, batch, events, err));
    struct sightings uncovered = uncovered_of(self, batch, events);
    metric_add(self->metrics.hits, (double)(events->count - uncovered.count));
    metric_add(self->metrics.misses, (double)uncovered.count);
    if (uncovered.count > 0) {
        CHECK(resolver_look_up(&self->resolver, batch->arena, &uncovered, err));
        uncovered = uncovered_of(self, batch, events);
    }
    if (uncovered.count == 0)
        return OUTCOME_OK;
    CHECK(resolver_transact(&self->resolver, batch->arena, &uncovered, batch->now, &events->change, err));
    resolver_metrics_add(&self->metrics, &events->change);
    metric_set(self->metrics.cache_bytes, (double)resolver_cache_bytes(&self->resolver.cache));
    return OUTCOME_OK;
}

static void resolver_dropped(void *arg)
{
    struct self *self = arg;
    const struct id *id;
    for (size_t i = 0; self->forgotten < self->erased.version && (id = erased_next(&self->erased, &i, self->forgotten));)
        resolver_forget(&self->resolver, id);
    self->forgotten = self->erased.version;
}

/* Distributed-tracing headers go through unchanged, and a request's correlation id comes back with its decision. */
static size_t copied_headers(const struct record *record, struct header headers[3])
{
    static const char *const names[] = {"traceparent", "tracestate", "kafka_correlationId"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (record_header(record, names[i], &headers[n].value))
            headers[n++].name = names[i];
    return n;
}

static const struct cached_identifier *known_of(struct self *self, const struct event *event, size_t i)
{
    const struct cached_identifier *known = resolver_known(&self->resolver, &event->sighting.ids[i].id);
    return known ? known : &event->known[i];
}

static void add_others(struct self *self, struct arena *arena, const struct event *event, struct resolved_header *head)
{
    size_t count = event->sighting.id_count - 1;
    struct resolved_other *others = arena_array(arena, struct resolved_other, count);
    for (size_t i = 0; i < count; i++) {
        const struct cached_identifier *known = known_of(self, event, i + 1);
        others[i] = (struct resolved_other){event->sighting.ids[i + 1].id, known->profile_id, known->version};
    }
    head->others = others;
    head->other_count = (uint32_t)count;
}

static enum outcome send_event(struct self *self, struct batch *batch, const struct event *event, struct strbuf *value,
                               struct err *err)
{
    struct resolved_header head = {.event_id = event->sighting.event_id};
    if (event->sighting.id_count > 0) {
        const struct cached_identifier *known = known_of(self, event, 0);
        head.anchor_id = event->sighting.ids[0].id;
        head.profile_id = known->profile_id;
        head.map_version = known->version;
        add_others(self, batch->arena, event, &head);
    }
    strbuf_reset(value);
    resolved_encode(value, event->framed.schema_id, &head, event->framed.payload);
    char key[37];
    id_to_uuid(&head.profile_id, key);
    struct header headers[3];
    size_t header_count = copied_headers(event->record, headers);
    return producer_send(self->context.producer, self->resolved_topic, -1, (struct span){key, 36}, strbuf_span(value), headers,
                         header_count, err);
}

static enum outcome send_change(struct self *self, const struct outbox_row *row, struct err *err)
{
    char key[37];
    id_to_uuid(&row->profile_id, key);
    return producer_send(self->context.producer, self->changes_topic, -1, (struct span){key, 36}, row->payload, NULL, 0, err);
}

static enum outcome resolver_publish(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct events *events = batch->events;
    if (events == NULL)
        return OUTCOME_OK;
    struct strbuf value = {.arena = batch->arena};
    for (size_t i = 0; i < events->count; i++)
        CHECK(send_event(self, batch, &events->items[i], &value, err));
    for (size_t i = 0; i < events->change.message_count; i++)
        CHECK(send_change(self, &events->change.messages[i], err));
    return OUTCOME_OK;
}

static enum outcome resolver_finished(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct events *events = batch->events;
    if (events == NULL || events->change.version == 0)
        return OUTCOME_OK;
    return store_delete_outbox(self->context.db, batch->arena, &events->change.version, 1, err);
}

static enum outcome resolver_scan(void *arg, struct arena *arena, struct err *err)
{
    struct self *self = arg;
    struct outbox_row *rows;
    size_t count;
    self->scanned_count = 0;
    CHECK(store_find_outbox(self->context.db, arena, &rows, &count, err));
    self->scanned_versions = realloc(self->scanned_versions, (count + 1) * sizeof *self->scanned_versions);
    if (self->scanned_versions == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        CHECK(send_change(self, &rows[i], err));
        self->scanned_versions[i] = rows[i].version;
    }
    self->scanned_count = count;
    return OUTCOME_OK;
}

static enum outcome resolver_scanned(void *arg, struct err *err)
{
    struct self *self = arg;
    if (self->scanned_count == 0)
        return OUTCOME_OK;
    struct arena arena = {0};
    enum outcome o = store_delete_outbox(self->context.db, &arena, self->scanned_versions, self->scanned_count, err);
    arena_free(&arena);
    self->scanned_count = 0;
    return o;
}

const struct service resolver_service = {
    .name = "identity-resolver",
    .settings = settings,
    .topic_settings = topic_settings,
    .check = resolver_check,
    .open = resolver_open,
    .close = close_service,
    .decode = resolver_decode,
    .apply = resolver_apply,
    .publish = resolver_publish,
    .finished = resolver_finished,
    .dropped = resolver_dropped,
    .scan = resolver_scan,
    .scanned = resolver_scanned,
};
