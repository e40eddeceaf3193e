/* resolver_service.c: identity-resolver as a service: settings, opening, applying a batch. */
#include "services/identity-resolver/resolver_service.h"

#include <stdlib.h>

#include "common/codec/framing.h"
#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "common/service/topic_names.h"
#include "services/identity-resolver/policy/identity_policy.h"
#include "services/identity-resolver/resolver_self.h"
#include "services/identity-resolver/store/identity_rules_store.h"

enum { KEYS_LEASE_US = 1000000 };

static const struct setting settings[] = {
    {"topic.touchpoints", SETTING_TEXT, "^touchpoints\\..*\\.v1$", 0, 0, NULL,
     "Input topics: a name, or a regex that starts with ^."},
    {"topic.resolved", SETTING_TEXT, OUR_TOPIC_RESOLVED, 0, 0, NULL,
     "Output: touchpoints with their profile."},
    {"topic.identity.changes", SETTING_TEXT, OUR_TOPIC_IDENTITY_CHANGES, 0, 0, NULL,
     "Output: identifiers that moved."},
    {"input.framing", SETTING_CHOICE, "confluent", 0, 0, "confluent|raw|single_object",
     "Framing of the input values."},
    {"max.record.bytes", SETTING_BYTES, "900000", 1000, FRAME_MAX_VALUE, NULL,
     "A record whose key, value and headers are larger becomes a dead letter. The rest of Kafka's "
     "usual megabyte is for the header that later services read."},
    {"flush.interval", SETTING_DURATION, "50ms", 1000, 60000000, NULL,
     "A batch is run at the latest so long after its first record; short, because contact requests "
     "come through here."},
    {"cache.bytes", SETTING_BYTES, "256MB", 1 << 20, INT64_C(1) << 40, NULL,
     "Memory for known identifiers and links."},
    {"cache.warm", SETTING_INT, "0", 0, 100000000, NULL,
     "About this many identifiers, and as many links, are read into the cache at the start: those "
     "written last."},
    {"privacy.raw_values", SETTING_BOOL, "false", 0, 0, NULL,
     "Keep the values of new identifiers in identity.raw_values, sealed with the key of "
     "privacy.key_file."},
    {"privacy.key_file", SETTING_TEXT, "", 0, 0, NULL,
     "File with the privacy key: 32 bytes, or that many in hexadecimal."},
    {0},
};

static const char *const topic_settings[] = {"topic.touchpoints", NULL};

static enum outcome read_file(const struct config *config, struct arena *arena,
                              struct resolver *resolver, struct strbuf *text, struct err *err)
{
    const char *path =
        generation_policy_path(arena, config_text(config, "policy.dir"), "identity.json");
    CHECK(identity_policy_read(arena, path, &resolver->policy, err));
    return generation_read_file(text, path, err);
}

static enum outcome read_keys(const struct config *config, struct resolver *resolver,
                              struct err *err)
{
    resolver->keys.needs_next = true;
    return identity_keys_read(config, &resolver->keys, err);
}

/* identity.json; *text stays empty if it is the database's. While none is active there, the file of
 * policy.dir is to become the first. */
static enum outcome read_identity(struct self *self, struct strbuf *text, struct err *err)
{
    const struct service_context *context = &self->context;
    struct resolver *resolver = &self->resolver;
    struct id hash;
    struct span stored;
    int32_t version;
    enum outcome outcome = OUTCOME_FATAL;
    if (context->policies->is_database)
        outcome =
            identity_store_find_policy(context->db, &self->arena, &version, &hash, &stored, err);
    if (outcome == OUTCOME_OK)
        return identity_policy_parse(&self->arena, stored, "identity.json", &resolver->policy, err);
    bool is_file = !context->policies->is_database || strcmp(err->code, "no_identity_policy") == 0;
    return is_file ? read_file(context->config, &self->arena, resolver, text, err) : outcome;
}

static enum outcome read_raw_keys(const struct config *config, struct seal_keys *keys,
                                  struct resolver *resolver, struct err *err)
{
    const char *file = config_text(config, "privacy.key_file");
    if (!config_bool(config, "privacy.raw_values"))
        return OUTCOME_OK;
    if (*file == '\0')
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "privacy.raw_values needs privacy.key_file");
    resolver->raw_keys = keys;
    return seal_keys_read(file, NULL, keys, err);
}

static enum outcome read_signals(const struct policy_source *source, struct arena *arena,
                                 struct signals *signals, struct err *err)
{
    const struct json *contact;
    CHECK(policy_source_read(source, arena, "contact.json", &contact, err));
    return signals_read(arena, contact, signals, err);
}

static enum outcome check_files(const struct config *config, struct arena *arena, struct err *err)
{
    struct resolver resolver = {0};
    struct strbuf text = {.arena = arena};
    struct seal_keys keys;
    struct signals signals;
    struct policy_source source = policy_source_of(config);
    CHECK(read_keys(config, &resolver, err));
    if (!source.is_database) {
        CHECK(read_file(config, arena, &resolver, &text, err));
        CHECK(read_signals(&source, arena, &signals, err));
    }
    return read_raw_keys(config, &keys, &resolver, err);
}

static enum outcome resolver_check(const struct config *config, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = check_files(config, &arena, err);
    arena_free(&arena);
    return outcome;
}

/* The key and the anchor rules fix what stored identifiers mean, so a database that was filled with
 * others is refused. The database also says which policy is active; the file must be that one. */
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
    enum outcome outcome =
        count > 0 ? resolver_warm_up(&self->resolver, &arena, (size_t)count, err) : OUTCOME_OK;
    arena_free(&arena);
    metric_set(self->metrics.cache_bytes, (double)resolver_cache_bytes(&self->resolver.cache));
    return outcome;
}

/* Takes what the active generation says of signals. The identity policy is followed by itself. */
static enum outcome resolver_renew(void *arg, struct err *err)
{
    struct self *self = arg;
    const struct service_context *context = &self->context;
    CHECK(policy_source_fetch(context->db, context->policies, err));
    CHECK(generation_open(context->db, context->policies, &self->generation, err));
    arena_reset(&self->signals_arena);
    return read_signals(context->policies, &self->signals_arena, &self->signals, err);
}

static enum outcome resolver_open(struct service_context *context, void *arg, struct err *err)
{
    struct self *self = arg;
    const struct config *config = context->config;
    struct strbuf text = {.arena = &self->arena};
    self->context = *context;
    self->pipeline = context;
    self->resolver.db = context->db;
    const char *framing = config_text(config, "input.framing");
    self->framing = framing[0] == 'c'   ? FRAMING_CONFLUENT
                    : framing[0] == 'r' ? FRAMING_RAW
                                        : FRAMING_SINGLE_OBJECT;
    resolver_cache_open(&self->resolver.cache, (size_t)config_int(config, "cache.bytes"));
    resolver_metrics_open(&self->metrics);
    CHECK(read_identity(self, &text, err));
    CHECK(read_keys(config, &self->resolver, err));
    CHECK(resolver_renew(self, err));
    CHECK(claim_database(self, strbuf_span(&text), err));
    CHECK(erased_open(context->db, &self->erased, err));
    self->resolver.erased = &self->erased;
    CHECK(read_raw_keys(config, &self->raw_keys, &self->resolver, err));
    CHECK(warm_up(self, err));
    if (context->producer == NULL)
        return OUTCOME_OK;
    CHECK(producer_topic(context->producer, config_text(config, "topic.resolved"),
                         &self->resolved_topic, &self->resolved_partitions, err));
    return producer_topic(context->producer, config_text(config, "topic.identity.changes"),
                          &self->changes_topic, NULL, err);
}

static void resolver_close_service(void *arg)
{
    struct self *self = arg;
    resolver_close(&self->resolver);
    erased_close(&self->erased);
    arena_free(&self->arena);
    arena_free(&self->signals_arena);
    free(self->scanned_versions);
}

/* What may change while the service runs and is not asked in its transactions. */
static enum outcome follow(struct self *self, struct batch *batch, struct err *err)
{
    int64_t now_us = clock_monotonic_us();
    if (now_us - self->keys_followed_us < KEYS_LEASE_US)
        return OUTCOME_OK;
    CHECK(resolver_follow_keys(&self->resolver, batch->arena, err));
    CHECK(generation_check(self->context.db, batch->arena, &self->generation, err));
    self->keys_followed_us = now_us;
    return OUTCOME_OK;
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
            event->known = arena_array(batch->arena, struct cached_identifier, s->id_count);
        event->is_covered = resolver_is_covered(&self->resolver, s, event->known);
        if (!event->is_covered)
            *arena_push(batch->arena, &uncovered) = *s;
    }
    return uncovered;
}

/* Takes over what the transaction learnt. */
static void refresh_known(struct self *self, struct events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        struct event *event = &events->items[i];
        for (size_t k = 0; k < event->sighting.id_count; k++) {
            const struct cached_identifier *known =
                resolver_known(&self->resolver, &event->sighting.ids[k].id);
            if (known)
                event->known[k] = *known;
        }
    }
}

static enum outcome resolver_apply(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct events *events = batch->events;
    if (events == NULL)
        return OUTCOME_OK;
    /* covered batches open no transaction, so ask here */
    CHECK(erased_check_lease(self->context.db, &self->erased, err));
    CHECK(follow(self, batch, err));
    CHECK(resolver_make_sure(self, batch, events, err));
    metric_add(self->metrics.unidentified, (double)events->unidentified);
    struct sightings uncovered = uncovered_of(self, batch, events);
    metric_add(self->metrics.hits, (double)(events->count - uncovered.count));
    metric_add(self->metrics.misses, (double)uncovered.count);
    if (uncovered.count > 0) {
        CHECK(resolver_look_up(&self->resolver, batch->arena, &uncovered, err));
        uncovered = uncovered_of(self, batch, events);
    }
    if (uncovered.count == 0)
        return OUTCOME_OK;
    CHECK(resolver_transact(&self->resolver, batch->arena, &uncovered, batch->now, &events->change,
                            err));
    refresh_known(self, events);
    resolver_metrics_add(&self->metrics, &events->change, self->resolver.policy.max_identifiers);
    metric_set(self->metrics.cache_bytes, (double)resolver_cache_bytes(&self->resolver.cache));
    return OUTCOME_OK;
}

static void resolver_dropped(void *arg)
{
    struct self *self = arg;
    const struct id *id;
    for (size_t i = 0; self->forgotten < self->erased.version &&
                       (id = erased_next(&self->erased, &i, self->forgotten));)
        resolver_forget(&self->resolver, id);
    self->forgotten = self->erased.version;
}

const struct service resolver_service = {
    .name = "identity-resolver",
    .settings = settings,
    .topic_settings = topic_settings,
    .reads_touchpoints = true,
    .size_setting = "max.record.bytes",
    .check = resolver_check,
    .self_size = sizeof(struct self),
    .open = resolver_open,
    .close = resolver_close_service,
    .decode = resolver_decode,
    .apply = resolver_apply,
    .publish = resolver_publish,
    .finished = resolver_finished,
    .dropped = resolver_dropped,
    .scan = resolver_scan,
    .scanned = resolver_scanned,
    .renew = resolver_renew,
};
