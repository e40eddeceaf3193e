/* resolver_publish.c: publishes resolved touchpoints and identity changes, also those that another
 * instance committed and did not publish. */
#include <stdlib.h>

#include "common/runtime/clock.h"
#include "services/identity-resolver/resolver_self.h"
#include "services/identity-resolver/resolver_service.h"

enum { WORK_SHOWN_US = 10000000 };

/* Tracing headers go through unchanged, and so does the correlation id that a request expects back
 * with its decision. */
static size_t copied_headers(const struct record *record, struct header headers[3])
{
    static const char *const names[] = {"traceparent", "tracestate", "kafka_correlationId"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (record_header(record, names[i], &headers[n].value))
            headers[n++].name = names[i];
    return n;
}

/* Every identifier but the anchor. */
static uint32_t list_others(const struct event *event, struct resolved_other *out)
{
    const struct sighting *s = &event->sighting;
    uint32_t count = 0;
    for (size_t i = s->lacks_anchor ? 0 : 1; i < s->id_count; i++)
        out[count++] = (struct resolved_other){s->ids[i].id, event->known[i].profile_id,
                                               event->known[i].version, s->ids[i].type->address_of};
    return count;
}

static void put_anchor(const struct event *event, struct resolved_header *head)
{
    head->anchor_id = event->sighting.ids[0].id;
    head->profile_id = event->known[0].profile_id;
    head->map_version = event->known[0].version;
    head->address_of = event->sighting.ids[0].type->address_of;
}

static enum outcome take_event(const struct event *event, struct strbuf *value,
                               resolver_take_fn *take, void *arg, struct err *err)
{
    struct resolved_other others[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    struct resolved_header head = {.event_id = event->sighting.event_id,
                                   .received_at = resolver_recorded_at(event->record).us,
                                   .others = others};
    if (event->sighting.id_count > 0 && !event->sighting.lacks_anchor)
        put_anchor(event, &head);
    head.other_count = list_others(event, others);
    strbuf_reset(value);
    resolved_encode(value, event->framed.schema_id, &head, event->framed.payload);
    char key[37];
    id_to_uuid(event->sighting.lacks_anchor ? &others[0].profile_id : &head.profile_id, key);
    struct header headers[3];
    size_t header_count = copied_headers(event->record, headers);
    return take(arg, RESOLVER_SENDS_RESOLVED, (struct span){key, 36}, strbuf_span(value), headers,
                header_count, err);
}

static enum outcome take_change(const struct identity_outbox_row *row, resolver_take_fn *take,
                                void *arg, struct err *err)
{
    char key[37];
    id_to_uuid(&row->profile_id, key);
    return take(arg, RESOLVER_SENDS_CHANGES, (struct span){key, 36}, row->payload, NULL, 0, err);
}

enum outcome resolver_messages(void *self, const struct batch *batch, resolver_take_fn *take,
                               void *arg, struct err *err)
{
    const struct events *events = batch->events;
    if (events == NULL)
        return OUTCOME_OK;
    struct strbuf value = {.arena = batch->arena};
    for (size_t i = 0; i < events->count; i++)
        CHECK(take_event(&events->items[i], &value, take, arg, err));
    for (size_t i = 0; i < events->change.message_count; i++)
        CHECK(take_change(&events->change.messages[i], take, arg, err));
    return OUTCOME_OK;
}

static enum outcome send(void *arg, enum resolver_topic topic, struct span key, struct span value,
                         const struct header *headers, size_t header_count, struct err *err)
{
    struct self *self = arg;
    return producer_send(self->context.producer,
                         topic == RESOLVER_SENDS_RESOLVED ? self->resolved_topic
                                                          : self->changes_topic,
                         -1, key, value, headers, header_count, err);
}

enum outcome resolver_publish(void *arg, struct batch *batch, struct err *err)
{
    return resolver_messages(arg, batch, send, arg, err);
}

enum outcome resolver_finished(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct events *events = batch->events;
    if (events == NULL || events->change.version == 0)
        return OUTCOME_OK;
    return identity_store_delete_outbox(self->context.db, batch->arena, &events->change.version, 1,
                                        err);
}

/* Only operators change it, so a look every 10 seconds is enough. */
static enum outcome show_open_work(struct self *self, struct err *err)
{
    int64_t now_us = clock_monotonic_us();
    struct open_work work;
    if (self->work_shown_us > 0 && now_us - self->work_shown_us < WORK_SHOWN_US)
        return OUTCOME_OK;
    CHECK(identity_store_find_open_work(self->context.db, &work, err));
    resolver_metrics_show(&self->metrics, &work);
    self->work_shown_us = now_us;
    return OUTCOME_OK;
}

enum outcome resolver_scan(void *arg, struct arena *arena, struct err *err)
{
    struct self *self = arg;
    struct identity_outbox_row *rows;
    size_t count;
    self->scanned_count = 0;
    CHECK(show_open_work(self, err));
    CHECK(identity_store_find_outbox(self->context.db, arena, &rows, &count, err));
    self->scanned_versions =
        realloc(self->scanned_versions, (count + 1) * sizeof *self->scanned_versions);
    if (self->scanned_versions == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        CHECK(take_change(&rows[i], send, self, err));
        self->scanned_versions[i] = rows[i].version;
    }
    self->scanned_count = count;
    return OUTCOME_OK;
}

enum outcome resolver_scanned(void *arg, struct err *err)
{
    struct self *self = arg;
    if (self->scanned_count == 0)
        return OUTCOME_OK;
    struct arena arena = {0};
    enum outcome outcome = identity_store_delete_outbox(
        self->context.db, &arena, self->scanned_versions, self->scanned_count, err);
    arena_free(&arena);
    self->scanned_count = 0;
    return outcome;
}
