/* resolver_decode.c: decodes records into events: collects the identifiers, chooses the anchor,
 * drops tests and the erased. */
#include "common/words/words.h"
#include "services/identity-resolver/resolver_self.h"

static struct typed_id *collect_ids(struct self *self, struct batch *batch,
                                    const struct touchpoint *tp, bool may_alias, size_t *count)
{
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    struct map *values = self->resolver.raw_keys ? &self->resolver.raw_values : NULL;
    const struct identity_keys *keys = &self->resolver.keys;
    struct id_finder *finder = identity_keys_were_rotated(keys) ? &self->finder : NULL;
    *count = identity_collect_values(&self->resolver.policy, &keys->current, finder, tp, may_alias,
                                     batch->arena, ids, values);
    struct typed_id *copy = arena_alloc(batch->arena, *count * sizeof *copy);
    memcpy(copy, ids, *count * sizeof *copy);
    return copy;
}

/* Whether the touchpoint says that two values are one, and is believed. Topics are trusted, so what
 * came without one is not. */
static void note_alias(const struct self *self, const struct record *record,
                       const struct touchpoint *tp, struct sighting *sighting)
{
    if (!identity_names_former(tp) || self->resolver.policy.trust_count == 0 ||
        self->pipeline->consumer == NULL)
        return;
    struct span topic = span_of(consumer_topic_name(self->pipeline->consumer, record->topic));
    if (!identity_may_alias(&self->resolver.policy, topic, tp->source))
        return;
    sighting->alias_topic = topic;
    sighting->alias_source = tp->source;
}

struct instant resolver_recorded_at(const struct record *record)
{
    struct instant at;
    return __builtin_mul_overflow(record->timestamp_ms, 1000, &at.us) ? INSTANT_NEVER : at;
}

/* A touchpoint may be dated ahead of its arrival. It counts as old if it occurred or was received
 * before. */
static struct instant when_known(const struct event *event)
{
    struct instant occurred_at = event->sighting.occurred_at,
                   received_at = resolver_recorded_at(event->record);
    return instant_compare(received_at, occurred_at) < 0 ? received_at : occurred_at;
}

/* Asks no clock: a record that is read again must get the same answer. */
static enum outcome check_times(const struct identity_policy *policy, const struct record *record,
                                struct instant occurred_at, struct err *err)
{
    if (record->timestamp_ms <= 0)
        return err_set(err, OUTCOME_REJECT, "timestamp_missing",
                       "the Kafka record has no timestamp");
    return identity_check_times(policy, resolver_recorded_at(record), occurred_at, err);
}

static bool forget_erased(const struct self *self, const struct touchpoint *tp,
                          struct typed_id *ids, struct event *event)
{
    struct sighting *sighting = &event->sighting;
    struct instant at = when_known(event);
    size_t kept = 0;
    for (size_t i = 0; i < sighting->id_count; i++)
        if (!erased_covers(&self->erased, &ids[i].id, at))
            ids[kept++] = ids[i];
        else if (i == 0)
            sighting->lacks_anchor = true;
    sighting->id_count = kept;
    return sighting->lacks_anchor && (kept == 0 || !signals_include(&self->signals, tp));
}

static struct events *events_of(struct self *self, struct batch *batch)
{
    if (batch->events)
        return batch->events;
    map_init(&self->resolver.raw_values, batch->arena, sizeof(struct id), sizeof(struct span));
    id_finder_start(&self->finder, &self->resolver.keys, &self->resolver.cache, batch->arena);
    return batch->events = arena_new(batch->arena, struct events);
}

enum outcome resolver_decode(void *arg, struct batch *batch, const struct record *record,
                             struct err *err)
{
    struct self *self = arg;
    struct span guid = SPAN_NONE;
    struct framed framed;
    struct touchpoint tp;
    record_header(record, "__value_schema_id", &guid);
    CHECK(schema_set_unframe(self->context.schemas, self->framing, record->value, guid, &framed,
                             err));
    CHECK(touchpoint_decode(framed.plan, framed.payload, &tp, err));
    CHECK(check_times(&self->resolver.policy, record, (struct instant){tp.occurred_at}, err));
    if (tp.is_test) {
        metric_add(self->metrics.tests, 1);
        return OUTCOME_OK;
    }
    struct events *events = events_of(self, batch);
    struct event event = {
        .record = record, .framed = framed, .sighting.occurred_at = {tp.occurred_at}};
    touchpoint_event_id(tp.source, tp.message_id, &event.sighting.event_id);
    size_t unsure = self->finder.unsure.count;
    note_alias(self, record, &tp, &event.sighting);
    struct typed_id *ids = collect_ids(self, batch, &tp, event.sighting.alias_source.len > 0,
                                       &event.sighting.id_count);
    event.sighting.ids = ids;
    event.is_unsure = self->finder.unsure.count > unsure;
    if (!event.is_unsure && forget_erased(self, &tp, ids, &event)) {
        metric_add(self->metrics.erased, 1);
        return OUTCOME_OK;
    }
    *arena_push(batch->arena, events) = event;
    events->unidentified += event.sighting.id_count == 0;
    return OUTCOME_OK;
}

/* Collects again, now that every hash leads to an id: ids decide which identifier is the anchor and
 * who was erased. */
static enum outcome collect_again(struct self *self, struct batch *batch, struct event *event,
                                  bool *is_erased, struct err *err)
{
    struct touchpoint tp;
    CHECK(touchpoint_decode(event->framed.plan, event->framed.payload, &tp, err));
    struct typed_id *ids = collect_ids(self, batch, &tp, event->sighting.alias_source.len > 0,
                                       &event->sighting.id_count);
    event->sighting.ids = ids;
    *is_erased = forget_erased(self, &tp, ids, event);
    metric_add(self->metrics.erased, *is_erased);
    return OUTCOME_OK;
}

enum outcome resolver_make_sure(struct self *self, struct batch *batch, struct events *events,
                                struct err *err)
{
    size_t kept = 0, by_previous;
    if (self->finder.unsure.count == 0)
        return OUTCOME_OK;
    CHECK(resolver_find_ids(&self->resolver, batch->arena, &self->finder, &by_previous, err));
    metric_add(self->metrics.found_by_previous, (double)by_previous);
    for (size_t i = 0; i < events->count; i++) {
        bool is_erased = false;
        if (events->items[i].is_unsure)
            CHECK(collect_again(self, batch, &events->items[i], &is_erased, err));
        if (!is_erased)
            events->items[kept++] = events->items[i];
    }
    events->count = kept;
    return OUTCOME_OK;
}
