/* pipeline.c: reads the settings, joins the group, collects batches, and runs them between
 * assignments and scans. */
#include "common/service/pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/service/admin_http.h"
#include "common/service/pipeline_internal.h"
#include "common/service/renew.h"

enum {
    /* longest wait for a first record: how often the loop looks at signals and scans */
    IDLE_MS = 200,
    QUIET_MS = 5,       /* nothing for this long while caught up ends a batch */
    CHECK_US = 1000000, /* between two looks at the database while idle */
    FIRST_RETRY_US = 10000,
    LAST_RETRY_US = 5000000,
};

const struct setting pipeline_settings[] = {
    {"group.id", SETTING_TEXT, "", 0, 0, NULL,
     "Kafka consumer group; empty: the name of the service."},
    {"batch.max.records", SETTING_INT, "100000", 1, 1000000, NULL,
     "A batch is run as soon as it holds so many records."},
    {"batch.max.bytes", SETTING_BYTES, "64MB", 1024 * 1024, 1 << 30, NULL,
     "... or so many bytes of keys and values: it bounds the memory that large records take."},
    {"flush.interval", SETTING_DURATION, "200ms", 1000, 60000000, NULL,
     "A batch is run at the latest so long after its first record."},
    {"flush.interval.behind", SETTING_DURATION, "2s", 1000, 60000000, NULL,
     "... while behind: a record that waited in Kafka may wait as long again, at most so long. "
     "Larger batches cost less."},
    {"outbox.scan.interval", SETTING_DURATION, "2s", 50000, 3600000000, NULL,
     "How often to look for messages that were committed but not published."},
    {"dead.letter.topic.suffix", SETTING_TEXT, ".dlq", 0, 0, NULL,
     "Dead letters of a topic go to the topic with this suffix."},
    {"http.listen", SETTING_TEXT, "127.0.0.1:9101", 0, 0, NULL,
     "Address of /livez, /readyz, /metrics and /version; \"off\" for none."},
    {"log.level", SETTING_CHOICE, "info", 0, 0, "debug|info|warn|error",
     "The least important log lines to write."},
    {"log.format", SETTING_CHOICE, "auto", 0, 0, "auto|json|logfmt",
     "auto is logfmt on a terminal, else JSON lines."},
    {.name = NULL},
};

/* Runs inside consumer_take; the service is told between batches. */
static void note_assignment(void *arg, const int *topics, const int32_t *partitions, size_t count)
{
    struct pipeline *pipeline = arg;
    pipeline->new_topics = realloc(pipeline->new_topics, (count + 1) * sizeof *topics);
    pipeline->new_partitions = realloc(pipeline->new_partitions, (count + 1) * sizeof *partitions);
    if (!pipeline->new_topics || !pipeline->new_partitions)
        abort();
    if (count) {
        memcpy(pipeline->new_topics, topics, count * sizeof *topics);
        memcpy(pipeline->new_partitions, partitions, count * sizeof *partitions);
    }
    pipeline->new_count = count;
    pipeline->is_assignment_new = true;
}

/* A topic that a pattern found is read only if its bad records have a place to go. Kafka may not
 * answer now: then the first dead letter asks again. */
static bool may_read(void *arg, int topic)
{
    struct pipeline *pipeline = arg;
    struct err err = {0};
    const char *name = consumer_topic_name(pipeline->consumer, topic);
    if (dead_letters_topic(pipeline->letters, topic, name, &err) != OUTCOME_FATAL)
        return true;
    log_event(LOG_ERROR, "topic_unread", "topic", name, "message", err.message, NULL);
    return false;
}

static void tell_assignment(struct pipeline *pipeline)
{
    if (!pipeline->is_assignment_new)
        return;
    pipeline->is_assignment_new = false;
    pipeline->is_scan_due = true;
    pipeline->next_check_us = 0; /* ready from now on, not a second later */
    if (pipeline->service->assigned)
        pipeline->service->assigned(pipeline->self, pipeline->new_topics, pipeline->new_partitions,
                                    pipeline->new_count);
}

static void open_metrics(struct pipeline *pipeline)
{
    pipeline->metrics.batch_seconds = metric_histogram(
        "batch_seconds", "", "From a batch's first record to its committed offsets.", NULL, 0);
    pipeline->metrics.commit_seconds =
        metric_histogram("batch_commit_seconds", "",
                         "Load, decide and save of one batch, with its COMMIT.", NULL, 0);
    pipeline->metrics.delay_seconds = metric_histogram(
        "event_delay_seconds", "", "From a record's timestamp to the end of its batch.", NULL, 0);
    pipeline->metrics.retries =
        metric_counter("batch_retries_total", "", "Runs of a batch that had to be repeated.");
}

static void load_settings(struct pipeline *pipeline, const struct config *config)
{
    pipeline->max = (size_t)config_int(config, "batch.max.records");
    pipeline->max_bytes = (size_t)config_int(config, "batch.max.bytes");
    const char *size_setting = pipeline->service->size_setting;
    pipeline->max_record_bytes = size_setting ? (size_t)config_int(config, size_setting) : SIZE_MAX;
    pipeline->flush_min_us = pipeline->flush_us = config_duration(config, "flush.interval").us;
    pipeline->flush_max_us = config_duration(config, "flush.interval.behind").us;
    pipeline->scan_interval_us = config_duration(config, "outbox.scan.interval").us;
    uint32_t seed = (uint32_t)getpid() ^ (uint32_t)clock_now().us;
    pipeline->backoff = pipeline->scan_backoff =
        (struct backoff){FIRST_RETRY_US, LAST_RETRY_US, 0, seed};
}

size_t pipeline_count_topics(const struct service *service)
{
    size_t count = 0;
    while (service->topic_settings[count])
        count++;
    return count;
}

enum outcome pipeline_read_topics(const struct service *service, const struct config *config,
                                  const char **topics, struct err *err)
{
    const char *suffix = config_text(config, "dead.letter.topic.suffix");
    if (*suffix == '\0')
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "dead.letter.topic.suffix is empty: dead letters would go to their own "
                       "input topic");
    for (size_t i = 0; service->topic_settings[i]; i++) {
        topics[i] = config_text(config, service->topic_settings[i]);
        topics[i + 1] = NULL;
        if (topics[i][0] == '\0')
            return err_set(err, OUTCOME_FATAL, "config_missing", "%s is empty",
                           service->topic_settings[i]);
        if (topics[i][0] != '^')
            CHECK(dead_letters_check_input(topics[i], suffix, err));
    }
    return OUTCOME_OK;
}

/* The dead letter topics of the inputs that are named. */
static enum outcome find_letter_topics(struct pipeline *pipeline, const char *const *topics,
                                       struct err *err)
{
    for (int i = 0; topics[i]; i++)
        if (topics[i][0] != '^')
            CHECK(dead_letters_topic(pipeline->letters, i, topics[i], err));
    return OUTCOME_OK;
}

static enum outcome join(struct pipeline *pipeline, struct err *err)
{
    const struct config *config = pipeline->context->config;
    const char *group = config_text(config, "group.id");
    const char **topics =
        arena_array(&pipeline->arena, const char *, pipeline_count_topics(pipeline->service) + 1);
    CHECK(pipeline_read_topics(pipeline->service, config, topics, err));
    CHECK(find_letter_topics(pipeline, topics, err));
    struct consumer_events events = {pipeline, note_assignment, may_read};
    group = group[0] ? group : pipeline->service->name;
    CHECK(consumer_open(config, group, topics, &events, &pipeline->consumer, err));
    const struct service_context *context = pipeline->context;
    return pipeline->service->reads_touchpoints && context->schemas &&
                   schema_set_has_registry(context->schemas)
               ? parked_open(config, context->producer, group, topics,
                             config_text(config, "dead.letter.topic.suffix"), &pipeline->parked,
                             err)
               : OUTCOME_OK;
}

enum outcome pipeline_open(const struct service *service, void *self,
                           struct service_context *context, struct pipeline **out, struct err *err)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline)
        abort();
    *out = NULL;
    pipeline->service = service;
    pipeline->self = self;
    pipeline->context = context;
    load_settings(pipeline, context->config);
    open_metrics(pipeline);
    pipeline->records = calloc(pipeline->max, sizeof *pipeline->records);
    pipeline->reasons = calloc(pipeline->max, sizeof *pipeline->reasons);
    pipeline->details = calloc(pipeline->max, sizeof *pipeline->details);
    if (!pipeline->records || !pipeline->reasons || !pipeline->details)
        abort();
    pipeline->letters = dead_letters_new(context->producer, service->name,
                                         config_text(context->config, "dead.letter.topic.suffix"));
    enum outcome outcome = join(pipeline, err);
    if (outcome != OUTCOME_OK) {
        pipeline_close(pipeline);
        return outcome;
    }
    context->consumer = pipeline->consumer;
    *out = pipeline;
    return OUTCOME_OK;
}

void pipeline_close(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    if (pipeline->consumer) {
        consumer_release(pipeline->consumer, pipeline->records, pipeline->count);
        consumer_close(pipeline->consumer);
    }
    pipeline->context->consumer = NULL;
    parked_close(pipeline->parked);
    dead_letters_free(pipeline->letters);
    arena_free(&pipeline->arena);
    free(pipeline->records);
    free(pipeline->reasons);
    for (size_t i = 0; pipeline->details && i < pipeline->max; i++)
        free(pipeline->details[i]);
    free(pipeline->details);
    free(pipeline->new_topics);
    free(pipeline->new_partitions);
    free(pipeline->ok);
    free(pipeline->dead);
    free(pipeline);
}

/* Records of an older assignment come again: keep only the newest `taken` ones. */
static void forget_older(struct pipeline *pipeline, size_t taken)
{
    consumer_release(pipeline->consumer, pipeline->records, pipeline->count);
    memmove(pipeline->records, pipeline->records + pipeline->count,
            taken * sizeof *pipeline->records);
    pipeline->count = 0;
    pipeline->bytes = 0;
    pipeline->epoch = consumer_epoch(pipeline->consumer);
}

/* Starts a batch. How long it may wait for more records depends on how long its first one has
 * waited in Kafka. */
static void begin_batch(struct pipeline *pipeline)
{
    int64_t waited_us = clock_now().us - pipeline->records[0].timestamp_ms * 1000;
    pipeline->first_us = clock_monotonic_us();
    pipeline->flush_us = pipeline->flush_min_us;
    if (waited_us > pipeline->flush_us && pipeline->flush_max_us > pipeline->flush_us)
        pipeline->flush_us =
            waited_us < pipeline->flush_max_us ? waited_us : pipeline->flush_max_us;
}

static void note_taken(struct pipeline *pipeline, size_t taken)
{
    for (size_t i = 0; i < taken; i++)
        pipeline->bytes += record_size(&pipeline->records[pipeline->count + i]);
    pipeline->count += taken;
}

static int take_timeout_ms(const struct pipeline *pipeline)
{
    if (pipeline->count == 0)
        return IDLE_MS;
    int64_t left_us = pipeline->first_us + pipeline->flush_us - clock_monotonic_us();
    return left_us <= 0 ? 0 : left_us < QUIET_MS * 1000 ? (int)(left_us / 1000) : QUIET_MS;
}

static bool is_batch_due(const struct pipeline *pipeline)
{
    return pipeline->count == pipeline->max || pipeline->bytes >= pipeline->max_bytes ||
           stop_requested() ||
           (pipeline->count > 0 && clock_monotonic_us() - pipeline->first_us >= pipeline->flush_us);
}

static enum outcome collect(struct pipeline *pipeline, struct err *err)
{
    pipeline->epoch = consumer_epoch(pipeline->consumer);
    for (;;) {
        bool caught_up = false;
        size_t taken =
            consumer_take(pipeline->consumer, pipeline->records + pipeline->count,
                          pipeline->max - pipeline->count, pipeline->max_bytes - pipeline->bytes,
                          take_timeout_ms(pipeline), &caught_up, err);
        admin_http_beat(consumer_max_poll_interval_us(pipeline->consumer));
        if (consumer_epoch(pipeline->consumer) != pipeline->epoch)
            forget_older(pipeline, taken);
        if (taken > 0 && pipeline->count == 0)
            begin_batch(pipeline);
        note_taken(pipeline, taken);
        if (err->outcome == OUTCOME_FATAL)
            return OUTCOME_FATAL;
        if (is_batch_due(pipeline) || (taken == 0 && (caught_up || pipeline->count == 0)))
            return OUTCOME_OK;
    }
}

enum outcome pipeline_renew(struct pipeline *pipeline, struct err *err)
{
    const struct service *service = pipeline->service;
    if (!pipeline->is_outdated)
        return OUTCOME_OK;
    CHECK(renew_service(service, pipeline->context, pipeline->self, err));
    pipeline->is_outdated = false;
    if (service->assigned && !service->renew)
        service->assigned(pipeline->self, pipeline->new_topics, pipeline->new_partitions,
                          pipeline->new_count);
    return OUTCOME_OK;
}

static enum outcome scan(struct pipeline *pipeline, struct err *err)
{
    const struct service *service = pipeline->service;
    arena_reset(&pipeline->arena);
    CHECK(pipeline_renew(pipeline, err));
    CHECK(db_ready(pipeline->context->db, err));
    CHECK(service->scan(pipeline->self, &pipeline->arena, err));
    CHECK(pipeline_wait_acks(pipeline, err));
    return service->scanned ? service->scanned(pipeline->self, err) : OUTCOME_OK;
}

/* Publishes what other instances left behind, when it is time to look. */
static enum outcome scan_if_due(struct pipeline *pipeline, struct err *err)
{
    int64_t now = clock_monotonic_us();
    bool is_failing = pipeline->scan_backoff.step_us > 0;
    bool is_due = now >= pipeline->next_scan_us || (pipeline->is_scan_due && !is_failing);
    if (!pipeline->service->scan || !is_due)
        return OUTCOME_OK;
    enum outcome outcome = scan(pipeline, err);
    if (outcome == OUTCOME_OK) {
        pipeline->is_scan_due = false;
        backoff_reset(&pipeline->scan_backoff);
        pipeline->next_scan_us = now + pipeline->scan_interval_us;
        return OUTCOME_OK;
    }
    pipeline_undo(pipeline);
    if (outcome != OUTCOME_RETRY) {
        err_prefix(err, "scan");
        return OUTCOME_FATAL;
    }
    pipeline_log_retry(pipeline, "scan_retry", err);
    pipeline->next_scan_us = now + backoff_next_us(&pipeline->scan_backoff);
    return OUTCOME_OK;
}

/* Readiness while idle: notices that the database went away, and connects to it again. */
static enum outcome check_servers(struct pipeline *pipeline, struct err *err)
{
    int64_t now = clock_monotonic_us();
    if (now < pipeline->next_check_us)
        return OUTCOME_OK;
    pipeline->next_check_us = now + CHECK_US;
    enum outcome outcome = db_ready(pipeline->context->db, err);
    admin_http_condition("postgres", outcome == OUTCOME_OK);
    admin_http_condition("kafka", consumer_is_joined(pipeline->consumer));
    return outcome == OUTCOME_FATAL ? outcome : OUTCOME_OK;
}

static enum outcome serve_parked(struct pipeline *pipeline, struct err *err)
{
    enum outcome outcome = pipeline->parked ? parked_serve(pipeline->parked, err) : OUTCOME_OK;
    if (outcome == OUTCOME_RETRY)
        pipeline_log_retry(pipeline, "parked_retry", err);
    return outcome == OUTCOME_FATAL ? outcome : OUTCOME_OK;
}

static enum outcome run_once(struct pipeline *pipeline, struct err *err)
{
    err->outcome = OUTCOME_OK;
    CHECK(collect(pipeline, err));
    tell_assignment(pipeline);
    CHECK(check_servers(pipeline, err));
    CHECK(scan_if_due(pipeline, err));
    CHECK(serve_parked(pipeline, err));
    return pipeline->count > 0 ? pipeline_batch(pipeline, err) : OUTCOME_OK;
}

enum outcome pipeline_run(struct pipeline *pipeline, struct err *err)
{
    pipeline->is_scan_due = true;
    while (!stop_requested()) {
        if (run_once(pipeline, err) == OUTCOME_FATAL)
            return OUTCOME_FATAL;
    }
    return OUTCOME_OK;
}
