/* obey.c: see obey.h. */
#include "cli/kafka/obey.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/bus/admin.h"
#include "common/bus/reader.h"
#include "common/codec/messages.h"
#include "common/runtime/stop.h"
#include "common/words/words.h"
#include "operations/patience.h"
#include "operations/topics/topic_list.h"

enum {
    MAX_PARTITIONS = 1024,
    POLL_MS = 10,
    SIN_SHARE = 8, /* of 256 contacts that were not granted are made all the same */
};

enum item_kind { ITEM_PLAIN, ITEM_REQUEST, ITEM_SEND };

struct item {
    enum item_kind kind;
    struct id request; /* of a request itself; of a send the one that it answers, nil: none */
    bool sins;
    struct span channel, key, value;
};

/* What people who may be one customer live through, in the order of arrival. */
struct chain {
    struct item *items;
    size_t count, capacity, next;
};

struct watched {
    const char *topic;
    int32_t partitions;
};

struct obey {
    struct arena arena;
    const struct outlet *outlet;
    struct admin *admin;
    struct reader *decisions;
    struct watched *inputs, resolved, decided;
    size_t input_count;
    const char *resolver_group, *suppression_group;
    struct {
        struct chain *items;
        size_t count, capacity;
    } chains;
    struct map verdicts;          /* struct id -> bool: granted and not revoked */
    int64_t read[MAX_PARTITIONS]; /* of the decisions: up to here they were read, or were old */
    struct obey_counts counts;
};

/* ---- opening ---- */

static enum outcome watch(struct obey *obey, const char *topic, struct watched *out,
                          struct err *err)
{
    struct topic_settings settings = {0};
    CHECK(admin_describe(obey->admin, &topic, 1, &settings, err));
    if (settings.partitions < 1 || settings.partitions > MAX_PARTITIONS)
        return err_set(err, OUTCOME_FATAL, "topic_missing",
                       "topic %s does not exist; create it with `tutti topics apply`", topic);
    *out = (struct watched){topic, settings.partitions};
    return OUTCOME_OK;
}

static enum outcome watch_inputs(struct obey *obey, const char *topic, const char *list,
                                 struct err *err)
{
    struct name_list names = topic_names(&obey->arena, topic ? topic : list);
    obey->inputs = arena_array(&obey->arena, struct watched, names.count);
    obey->input_count = names.count;
    for (size_t i = 0; i < names.count; i++)
        CHECK(watch(obey, names.items[i], &obey->inputs[i], err));
    return OUTCOME_OK;
}

static enum outcome open_all(struct obey *obey, const struct call *call, const char *topic,
                             struct err *err)
{
    const struct config *config = call->config;
    CHECK(admin_open(config, &obey->admin, err));
    CHECK(watch_inputs(obey, topic, config_text(config, "topics.input"), err));
    CHECK(watch(obey, config_text(config, "topic.resolved"), &obey->resolved, err));
    CHECK(watch(obey, config_text(config, "topic.decisions"), &obey->decided, err));
    CHECK(admin_topic_ends(obey->admin, obey->decided.topic, obey->read, obey->decided.partitions,
                           err));
    return reader_open(config, obey->decided.topic, -1, READER_BEGINNING, &obey->decisions, err);
}

enum outcome obey_open(const struct call *call, const char *topic, const char *prefix,
                       const struct outlet *outlet, struct obey **out, struct err *err)
{
    struct obey *obey = calloc(1, sizeof *obey);
    if (obey == NULL)
        abort();
    obey->outlet = outlet;
    map_init(&obey->verdicts, &obey->arena, sizeof(struct id), sizeof(bool));
    obey->resolver_group = arena_printf(&obey->arena, "%sidentity-resolver", prefix);
    obey->suppression_group = arena_printf(&obey->arena, "%ssuppression", prefix);
    enum outcome outcome = open_all(obey, call, topic, err);
    if (outcome == OUTCOME_OK)
        *out = obey;
    else
        obey_close(obey);
    return outcome;
}

void obey_close(struct obey *obey)
{
    if (obey == NULL)
        return;
    reader_close(obey->decisions);
    admin_close(obey->admin);
    arena_free(&obey->arena);
    free(obey);
}

/* ---- what is to be sent ---- */

static struct chain *chain_of(struct obey *obey, uint32_t person)
{
    size_t number = person / 2; /* a device is shared by two neighbours, if at all */
    while (obey->chains.count <= number)
        *arena_push(&obey->arena, &obey->chains) = (struct chain){0};
    return &obey->chains.items[number];
}

void obey_add(struct obey *obey, const struct generated *generated, struct span key,
              struct span value)
{
    const struct touchpoint *t = &generated->touchpoint;
    struct span event = event_of(t->event_name, t->type);
    struct item item = {.channel = arena_copy(&obey->arena, t->channel),
                        .key = arena_copy(&obey->arena, key),
                        .value = arena_copy(&obey->arena, value)};
    struct id own;
    touchpoint_event_id(t->source, t->message_id, &own);
    if (event_is(event, EVENT_CONTACT_REQUESTED)) {
        item.kind = ITEM_REQUEST;
        item.request = own;
    } else if (event_is(event, EVENT_CONTACT_SENT)) {
        item.kind = ITEM_SEND;
        item.sins = own.bytes[0] < SIN_SHARE;
        if (!id_from_uuid(t->decision_id, &item.request))
            item.request = (struct id){{0}};
    }
    *arena_push(&obey->arena, chain_of(obey, generated->person)) = item;
}

/* ---- waiting for the services ---- */

static enum outcome count_behind(struct obey *obey, const char *group, const struct watched *topic,
                                 int64_t *behind, struct err *err)
{
    int64_t ends[MAX_PARTITIONS], more = 0;
    CHECK(admin_topic_ends(obey->admin, topic->topic, ends, topic->partitions, err));
    CHECK(
        admin_group_behind(obey->admin, group, topic->topic, ends, topic->partitions, &more, err));
    *behind += more;
    return OUTCOME_OK;
}

static enum outcome has_read(struct obey *obey, bool *done, struct err *err)
{
    int64_t behind = 0;
    for (size_t i = 0; i < obey->input_count; i++)
        CHECK(count_behind(obey, obey->resolver_group, &obey->inputs[i], &behind, err));
    if (behind == 0)
        CHECK(count_behind(obey, obey->suppression_group, &obey->resolved, &behind, err));
    *done = behind == 0;
    return OUTCOME_OK;
}

static bool is_stopped(void *context)
{
    return stop_requested();
}

/* Nobody is told that it waits: it does so in every turn. */
static enum outcome wait_read(struct obey *obey, struct err *err)
{
    struct desk desk = {.wait = {60 * US_PER_SECOND}, .listener = {.is_stopped = is_stopped}};
    struct patience patience = patience_of(&desk);
    bool done = false, lasts = true;
    patience.poll_ms = POLL_MS;
    while (!done && lasts) {
        CHECK(has_read(obey, &done, err));
        lasts = done || patience_lasts(&patience, "the services");
    }
    return done ? OUTCOME_OK
                : err_set(err, OUTCOME_RETRY, "obey_timeout",
                          "the groups %s and %s have not read everything: are the services "
                          "running?",
                          obey->resolver_group, obey->suppression_group);
}

/* ---- verdicts ---- */

static enum outcome note_verdict(struct obey *obey, const struct record *record, struct err *err)
{
    struct contact_decision_message message;
    CHECK(contact_decision_decode(record->value, &message, err));
    bool *granted = map_put(&obey->verdicts, &message.request_id, NULL);
    *granted = span_is(message.verdict, "grant");
    obey->counts.granted += *granted;
    int64_t *read = &obey->read[record->partition];
    *read = record->offset >= *read ? record->offset + 1 : *read;
    return OUTCOME_OK;
}

static bool is_read(const struct obey *obey, const int64_t *ends)
{
    for (int32_t i = 0; i < obey->decided.partitions; i++)
        if (obey->read[i] < ends[i])
            return false;
    return true;
}

/* Everything that was said by now. */
static enum outcome read_verdicts(struct obey *obey, struct err *err)
{
    int64_t ends[MAX_PARTITIONS];
    struct record record;
    bool at_end;
    CHECK(admin_topic_ends(obey->admin, obey->decided.topic, ends, obey->decided.partitions, err));
    while (!is_read(obey, ends) && !stop_requested()) {
        err->outcome = OUTCOME_OK;
        if (reader_next(obey->decisions, POLL_MS, &record, &at_end, err))
            CHECK(note_verdict(obey, &record, err));
        CHECK(err->outcome);
    }
    return OUTCOME_OK;
}

/* ---- turns ---- */

static enum outcome send(struct obey *obey, const struct item *item, struct err *err)
{
    obey->counts.sent++;
    return outlet_send(obey->outlet, item->channel, item->key, item->value, err);
}

static enum outcome send_if_granted(struct obey *obey, const struct item *item, struct err *err)
{
    const bool *granted = map_find(&obey->verdicts, &item->request);
    if (granted && *granted) {
        obey->counts.obeyed++;
        return send(obey, item, err);
    }
    if (!item->sins) {
        obey->counts.withheld++;
        return OUTCOME_OK;
    }
    obey->counts.sins++;
    return send(obey, item, err);
}

/* The next request or send, or everything before it. */
static enum outcome take_turn(struct obey *obey, struct chain *chain, struct err *err)
{
    const struct item *item = &chain->items[chain->next];
    if (item->kind == ITEM_REQUEST) {
        chain->next++;
        obey->counts.requests++;
        return send(obey, item, err);
    }
    if (item->kind == ITEM_SEND) {
        chain->next++;
        return send_if_granted(obey, item, err);
    }
    while (chain->next < chain->count && chain->items[chain->next].kind == ITEM_PLAIN)
        CHECK(send(obey, &chain->items[chain->next++], err));
    return OUTCOME_OK;
}

static enum outcome take_turns(struct obey *obey, bool *is_over, struct err *err)
{
    *is_over = true;
    for (size_t i = 0; i < obey->chains.count; i++) {
        struct chain *chain = &obey->chains.items[i];
        if (chain->next == chain->count)
            continue;
        *is_over = false;
        CHECK(take_turn(obey, chain, err));
    }
    return outlet_finish(obey->outlet, err);
}

enum outcome obey_run(struct obey *obey, struct obey_counts *counts, struct err *err)
{
    bool is_over = false;
    while (!is_over && !stop_requested()) {
        CHECK(take_turns(obey, &is_over, err));
        CHECK(wait_read(obey, err));
        CHECK(read_verdicts(obey, err));
    }
    *counts = obey->counts;
    return OUTCOME_OK;
}
