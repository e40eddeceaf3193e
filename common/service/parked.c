/* parked.c: see parked.h. */
#include "common/service/parked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/clock.h"
#include "common/runtime/config.h"
#include "common/runtime/log.h"
#include "common/runtime/telemetry.h"

enum {
    TAKE = 1000,
    ROUND = 10000, /* records at most before a pause */
    TAKE_BYTES = 16 * 1024 * 1024,
    MAX_TOPICS = 64,
    ACK_MS = 2000,
    LONGEST_TOPIC = 249,
    LONGEST_PAUSE = 10, /* times the first one */
};

struct parked {
    struct arena arena;
    struct producer *producer;
    struct consumer *consumer;
    const char *group;
    struct record records[TAKE];
    size_t count; /* taken and not given back yet */
    int64_t next_us, pause_us, first_pause_us;
    size_t returned; /* in this round */
    struct metric *returned_total;
};

/* "^touchpoints\..*\.v1$" reads letters from "^touchpoints\..*\.v1\.dlq$". */
static const char *letters_of(struct arena *arena, const char *topic, const char *suffix)
{
    size_t length = strlen(topic);
    bool is_pattern = topic[0] == '^', has_end = is_pattern && topic[length - 1] == '$';
    return arena_printf(arena, "%.*s%s%s%s", (int)(length - has_end), topic, is_pattern ? "\\" : "",
                        suffix, is_pattern ? "$" : "");
}

static enum outcome join(struct parked *parked, const struct config *config,
                         const char *const *topics, const char *suffix, struct err *err)
{
    const char *letters[MAX_TOPICS + 1] = {NULL};
    for (size_t i = 0; topics[i] && i < MAX_TOPICS; i++)
        letters[i] = letters_of(&parked->arena, topics[i], suffix);
    return consumer_open(config, parked->group, letters, NULL, &parked->consumer, err);
}

enum outcome parked_open(const struct config *config, struct producer *producer, const char *group,
                         const char *const *topics, const char *suffix, struct parked **out,
                         struct err *err)
{
    struct parked *parked = calloc(1, sizeof *parked);
    if (!parked)
        abort();
    parked->producer = producer;
    parked->group = arena_printf(&parked->arena, "%s.parked", group);
    parked->pause_us = parked->first_pause_us = config_duration(config, "schema.registry.retry").us;
    parked->next_us = clock_monotonic_us() + parked->pause_us;
    parked->returned_total = metric_counter(
        "parked_returned_total", "", "Records sent again after they had waited for their schema.");
    enum outcome outcome = join(parked, config, topics, suffix, err);
    if (outcome == OUTCOME_OK)
        *out = parked;
    else
        parked_close(parked);
    return outcome;
}

void parked_close(struct parked *parked)
{
    if (!parked)
        return;
    if (parked->consumer)
        consumer_release(parked->consumer, parked->records, parked->count);
    consumer_close(parked->consumer);
    arena_free(&parked->arena);
    free(parked);
}

static bool waits_for_schema(const struct record *letter)
{
    struct span code;
    return record_header(letter, "tutti.error.code", &code) &&
           span_is(code, "schema_unavailable") && letter->value.ptr;
}

static enum outcome give_back(struct parked *parked, const struct record *letter, struct err *err)
{
    static const char *const ours[] = {"__connect.errors.", "tutti.error.", "tutti.original.",
                                       NULL};
    struct span topic, key = SPAN_NONE;
    char name[LONGEST_TOPIC + 1];
    int index;
    if (!record_header(letter, "__connect.errors.topic", &topic) || topic.len > LONGEST_TOPIC)
        return OUTCOME_OK;
    snprintf(name, sizeof name, SPAN_FMT, SPAN_ARG(topic));
    record_header(letter, "tutti.original.key", &key);
    enum outcome outcome = producer_topic(parked->producer, name, &index, NULL, err);
    if (outcome == OUTCOME_FATAL)
        return OUTCOME_OK; /* the topic is gone: the letter stays where it is */
    CHECK(outcome);
    CHECK(producer_return(parked->producer, index, key, letter, ours, err));
    parked->returned++;
    return OUTCOME_OK;
}

/* After a RETRY the same letters are given back again. */
static enum outcome give_all_back(struct parked *parked, struct err *err)
{
    size_t before = parked->returned;
    for (size_t i = 0; i < parked->count; i++)
        if (waits_for_schema(&parked->records[i]))
            CHECK(give_back(parked, &parked->records[i], err));
    if (parked->returned > before)
        CHECK(producer_wait(parked->producer, ACK_MS, NULL, NULL, err));
    metric_add(parked->returned_total, (double)(parked->returned - before));
    consumer_release(parked->consumer, parked->records, parked->count);
    parked->count = 0;
    consumer_commit(parked->consumer);
    return OUTCOME_OK;
}

static enum outcome take(struct parked *parked, size_t max, bool *caught_up, struct err *err)
{
    struct err fault = {0};
    parked->count +=
        consumer_take(parked->consumer, parked->records, max, TAKE_BYTES, 0, caught_up, &fault);
    if (fault.outcome == OUTCOME_FATAL)
        *err = fault;
    return fault.outcome == OUTCOME_FATAL ? OUTCOME_FATAL : OUTCOME_OK;
}

/* The next round comes later if this one sent something: it may come back. */
static void end_round(struct parked *parked)
{
    if (parked->returned)
        log_event(LOG_INFO, "parked_returned", "records", log_int((long long)parked->returned),
                  NULL);
    int64_t first = parked->first_pause_us, longer = parked->pause_us * 2;
    parked->pause_us = parked->returned == 0            ? first
                       : longer < LONGEST_PAUSE * first ? longer
                                                        : LONGEST_PAUSE * first;
    parked->next_us = clock_monotonic_us() + parked->pause_us;
    parked->returned = 0;
}

enum outcome parked_serve(struct parked *parked, struct err *err)
{
    bool is_due = clock_monotonic_us() >= parked->next_us, caught_up = false;
    CHECK(take(parked, is_due && parked->count == 0 ? TAKE : 0, &caught_up, err));
    if (parked->count > 0)
        CHECK(give_all_back(parked, err));
    else if (is_due && caught_up)
        end_round(parked);
    if (parked->returned >= ROUND)
        end_round(parked);
    return OUTCOME_OK;
}
