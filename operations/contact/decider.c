/* decider.c: see decider.h. */
#include "operations/contact/decider.h"

#include <stdlib.h>
#include <string.h>

#include "common/codec/touchpoint.h"
#include "common/runtime/clock.h"
#include "common/service/renew.h"
#include "common/service/topic_names.h"
#include "services/identity-resolver/resolver_service.h"
#include "services/suppression/suppression_service.h"
#include "services/suppression/suppression_transact.h"

const struct setting decider_settings[] = {
    {"decider.identity.database.url", SETTING_SECRET, "", 0, 0, NULL,
     "Database of the identity step, with the role of identity-resolver; empty: database.url."},
    {"decider.suppression.database.url", SETTING_SECRET, "", 0, 0, NULL,
     "Database of the decision, with the role of suppression; empty: database.url."},
    {.name = NULL},
};

/* One of the two services, as the pipeline has it. */
struct step {
    const struct service *service;
    struct service_context context;
    struct policy_source policies;
    void *self;
    bool is_outdated; /* other policies are active: renewed before the next run */
    struct batch batch;
};

struct decider {
    struct decider_options options;
    struct step who, may;
    int changes_topic;
    struct decider_times times; /* of the last run */
};

/* ---- opening ---- */

static enum outcome open_step(struct decider *decider, struct step *step, const char *url_setting,
                              struct err *err)
{
    const struct decider_options *options = &decider->options;
    struct service_context *context = &step->context;
    context->config = options->config;
    step->policies = policy_source_of(options->config);
    context->policies = &step->policies;
    context->producer = options->producer;
    CHECK(db_open_at(options->config, url_setting, options->application_name, &context->db, err));
    db_pin_plans(context->db);
    if (options->producer == NULL)
        db_dry_run(context->db);
    CHECK(schema_set_open(options->config, &context->schemas, err));
    CHECK(db_ready(context->db, err));
    step->self = calloc(1, step->service->self_size);
    if (step->self == NULL)
        abort();
    return step->service->open(context, step->self, err);
}

static enum outcome open_steps(struct decider *decider, struct err *err)
{
    CHECK(open_step(decider, &decider->who, "decider.identity.database.url", err));
    CHECK(open_step(decider, &decider->may, "decider.suppression.database.url", err));
    const struct decider_options *options = &decider->options;
    return options->producer == NULL
               ? OUTCOME_OK
               : producer_topic(options->producer,
                                config_text(options->config, "topic.identity.changes"),
                                &decider->changes_topic, NULL, err);
}

enum outcome decider_open(const struct decider_options *options, struct decider **out,
                          struct err *err)
{
    struct decider *decider = calloc(1, sizeof *decider);
    if (decider == NULL)
        abort();
    decider->options = *options;
    decider->who.service = &resolver_service;
    decider->may.service = &suppression_service;
    enum outcome outcome = open_steps(decider, err);
    if (outcome != OUTCOME_OK) {
        decider_close(decider);
        decider = NULL;
    }
    *out = decider;
    return outcome;
}

static void close_step(struct step *step)
{
    if (step->self)
        step->service->close(step->self);
    free(step->self);
    policy_source_free(&step->policies);
    schema_set_close(step->context.schemas);
    db_close(step->context.db);
}

void decider_close(struct decider *decider)
{
    if (decider == NULL)
        return;
    close_step(&decider->may);
    close_step(&decider->who);
    free(decider);
}

enum outcome decider_ready(struct decider *decider, struct err *err)
{
    CHECK(db_ready(decider->who.context.db, err));
    return db_ready(decider->may.context.db, err);
}

static void undo_step(struct step *step)
{
    if (step->context.db)
        db_rollback(step->context.db);
    if (step->self && step->service->dropped)
        step->service->dropped(step->self);
}

void decider_undo(struct decider *decider)
{
    undo_step(&decider->who);
    undo_step(&decider->may);
}

/* ---- the two steps ---- */

static void refuse(struct decided *decided, struct arena *arena, const char *code,
                   const char *message)
{
    decided->refused_code = arena_copy(arena, span_of(code)).ptr;
    decided->refused = arena_copy(arena, span_of(message)).ptr;
}

/* A record that becomes a dead letter is refused, and the others go on. */
static enum outcome decode_requests(struct decider *decider, struct decided *out, struct err *err)
{
    struct step *who = &decider->who;
    for (size_t i = 0; i < who->batch.record_count; i++) {
        enum outcome outcome =
            who->service->decode(who->self, &who->batch, &who->batch.records[i], err);
        if (outcome == OUTCOME_REJECT)
            refuse(&out[i], who->batch.arena, err->code, err->message);
        else if (outcome != OUTCOME_OK)
            return outcome;
    }
    return OUTCOME_OK;
}

/* What identity-resolver would send, suppression reads at once. Any partition will do for the lane:
 * its owner sends what this process could not. */
static enum outcome hand_over(void *arg, enum resolver_topic topic, struct span key,
                              struct span value, const struct header *headers, size_t header_count,
                              struct err *err)
{
    struct step *may = arg;
    struct record record = {.topic = topic == RESOLVER_SENDS_RESOLVED ? 0 : 1,
                            .timestamp_ms = may->batch.now.us / 1000,
                            .key = arena_copy(may->batch.arena, key),
                            .value = arena_copy(may->batch.arena, value)};
    return may->service->decode(may->self, &may->batch, &record, err);
}

/* ---- answers ---- */

static bool is_answered(const struct decided *decided)
{
    return decided->refused || decided->verdict.decision.verdict != 0;
}

/* Of two that ask the same, the first one asked. */
static void answer(struct decided *decided, size_t count, const struct verdict_row *row,
                   bool is_repeat)
{
    for (size_t i = 0; i < count; i++)
        if (!is_answered(&decided[i]) &&
            id_equal(&decided[i].request_id, &row->decision.request_id)) {
            decided[i].verdict = *row;
            decided[i].is_repeat = is_repeat;
            is_repeat = true;
        }
}

static void answer_new(struct decider *decider, struct decided *decided, size_t count)
{
    const struct batch *batch = &decider->may.batch;
    const struct suppression_flush *flush = batch->events;
    for (size_t i = 0; flush && i < flush->decisions.count; i++)
        if (flush->decisions.items[i].is_inserted) {
            struct verdict_row row = {flush->decisions.items[i], batch->now};
            answer(decided, count, &row, false);
        }
}

static enum outcome answer_stored(struct decider *decider, struct arena *arena,
                                  struct decided *decided, size_t count, struct err *err)
{
    struct id *missing = arena_array(arena, struct id, count);
    struct verdict_row *rows = NULL;
    size_t n = 0, found = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_answered(&decided[i]))
            missing[n++] = decided[i].request_id;
    if (n > 0)
        CHECK(suppression_store_find_verdicts(decider->may.context.db, arena, missing, n, &rows,
                                              &found, err));
    for (size_t i = 0; i < found; i++)
        answer(decided, count, &rows[i], true);
    return OUTCOME_OK;
}

static void refuse_rest(struct decided *decided, size_t count, struct arena *arena,
                        const char *code, const char *message)
{
    for (size_t i = 0; i < count; i++)
        if (!is_answered(&decided[i]))
            refuse(&decided[i], arena, code, message);
}

static struct decided *new_answers(struct arena *arena, const struct id *requests, size_t count)
{
    struct decided *decided = arena_calloc(arena, count, sizeof *decided);
    for (size_t i = 0; i < count; i++)
        decided[i].request_id = requests[i];
    return decided;
}

enum outcome decider_find(struct decider *decider, struct arena *arena, const struct id *requests,
                          size_t count, struct decided **out, struct err *err)
{
    *out = new_answers(arena, requests, count);
    CHECK(answer_stored(decider, arena, *out, count, err));
    refuse_rest(*out, count, arena, "unknown", "nothing is known of this request");
    return OUTCOME_OK;
}

static enum outcome renew_step(struct step *step, struct err *err)
{
    if (!step->is_outdated)
        return OUTCOME_OK;
    CHECK(renew_service(step->service, &step->context, step->self, err));
    step->is_outdated = false;
    return OUTCOME_OK;
}

static enum outcome run_steps(struct decider *decider, struct decided *out, struct err *err)
{
    struct step *who = &decider->who, *may = &decider->may;
    CHECK(renew_step(who, err));
    CHECK(renew_step(may, err));
    int64_t begun_us = clock_monotonic_us();
    CHECK(decode_requests(decider, out, err));
    CHECK(who->service->apply(who->self, &who->batch, err));
    CHECK(resolver_messages(who->self, &who->batch, hand_over, may, err));
    int64_t found_us = clock_monotonic_us();
    CHECK(may->service->apply(may->self, &may->batch, err));
    decider->times = (struct decider_times){found_us - begun_us, clock_monotonic_us() - found_us};
    return OUTCOME_OK;
}

struct decider_times decider_times(const struct decider *decider)
{
    return decider->times;
}

/* Policies were switched: both steps open anew before they run again. */
static enum outcome note_outdated(struct decider *decider, enum outcome outcome,
                                  const struct err *err)
{
    if (outcome == OUTCOME_RETRY && renew_is_due(err))
        decider->who.is_outdated = decider->may.is_outdated = true;
    return outcome;
}

enum outcome decider_run(struct decider *decider, struct arena *arena, const struct record *records,
                         const struct id *requests, size_t count, struct decided **out,
                         struct err *err)
{
    struct batch batch = {arena, records, count, clock_now(), NULL};
    decider->who.batch = decider->may.batch = batch;
    *out = new_answers(arena, requests, count);
    CHECK(note_outdated(decider, run_steps(decider, *out, err), err));
    answer_new(decider, *out, count);
    CHECK(answer_stored(decider, arena, *out, count, err));
    refuse_rest(*out, count, arena, "erased", "the customer was erased after this request");
    return OUTCOME_OK;
}

enum outcome decider_claim(struct decider *decider, struct arena *arena, struct claim *claims,
                           size_t count, struct err *err)
{
    CHECK(renew_step(&decider->may, err));
    enum outcome outcome =
        suppression_service_claim(decider->may.self, arena, claims, count, clock_now(), err);
    return note_outdated(decider, outcome, err);
}

enum outcome decider_preferred(struct decider *decider, struct arena *arena,
                               const struct id *profile_id, struct contact_names *out,
                               struct err *err)
{
    return suppression_service_preferred(decider->may.self, arena, profile_id, out, err);
}

/* ---- sending ---- */

/* Resolved touchpoints come from identity-resolver, which reads the touchpoint, too. */
static enum outcome send_change(void *arg, enum resolver_topic topic, struct span key,
                                struct span value, const struct header *headers,
                                size_t header_count, struct err *err)
{
    struct decider *decider = arg;
    return topic == RESOLVER_SENDS_RESOLVED
               ? OUTCOME_OK
               : producer_send(decider->options.producer, decider->changes_topic, -1, key, value,
                               headers, header_count, err);
}

enum outcome decider_publish(struct decider *decider, int timeout_ms, struct err *err)
{
    struct step *who = &decider->who, *may = &decider->may;
    if (decider->options.producer == NULL)
        return OUTCOME_OK;
    CHECK(resolver_messages(who->self, &who->batch, send_change, decider, err));
    CHECK(may->service->publish(may->self, &may->batch, err));
    CHECK(producer_wait(decider->options.producer, timeout_ms, NULL, NULL, err));
    CHECK(who->service->finished(who->self, &who->batch, err));
    return may->service->finished(may->self, &may->batch, err);
}
