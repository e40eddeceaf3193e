/* pipeline_test.c: what the loop makes of every outcome of every step. The bus, the database and
 * the service are fakes that write one letter per call into a trace:
 *
 *   d decode, A apply, P publish, W wait for acknowledgements, F finished, C commit offsets
 *   L dead letter, R roll back, U dropped, S scan, s scanned, a assigned */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/service/pipeline.h"

enum { MOST = 64 };

/* At the nth call (from 1) of a step: its outcome, and what happens besides: 'e' a rebalance, 's' a
 * stop request. */
struct fault {
    char step;
    int nth;
    enum outcome outcome;
    const char *code;
    char besides;
};

/* A record's value: g good, x refused by decode, p refused by apply, w decoded slowly, o oversized.
 */
struct scenario {
    const char *name, *values;
    struct fault faults[8];
    bool has_scan;
    int assigned_at;     /* the take that brings the assignment; 0: the first */
    const char *trace;   /* NULL: not compared */
    const char *letters; /* offsets of dead letters and their codes */
    enum outcome outcome;
    int commits;
};

static struct {
    const struct scenario *scenario;
    char trace[4096];
    char letters[512];
    int calls[128];
    size_t given, released, waited_heartbeats;
    int64_t epoch;
    bool is_stopping, is_announced;
    int idle_takes, commits;
    struct consumer_events events;
    int applied[MOST]; /* successful applies of each offset */
    char batch_values[MOST + 1];
    int batch_offsets[MOST];
    size_t batch_count;
} world;

static char big_value[2000];

static void note(char step)
{
    size_t length = strlen(world.trace);
    if (length + 1 < sizeof world.trace)
        world.trace[length] = step;
}

/* Counts the call, notes it, and gives the scripted outcome. */
static enum outcome call(char step, struct err *err)
{
    int nth = ++world.calls[(unsigned char)step];
    note(step);
    for (const struct fault *fault = world.scenario->faults; fault->step; fault++) {
        if (fault->step != step || fault->nth != nth)
            continue;
        if (fault->besides == 'e') {
            world.epoch++;
            world.is_announced = false;
        }
        world.is_stopping |= fault->besides == 's';
        return fault->outcome == OUTCOME_OK ? OUTCOME_OK
                                            : err_set(err, fault->outcome, fault->code, "scripted");
    }
    return OUTCOME_OK;
}

/* ---- the fake bus ---- */

struct consumer {
    int unused;
};
struct producer {
    int unused;
};
struct db {
    int unused;
};
static struct consumer the_consumer;
static struct producer the_producer;
static struct db the_db;

bool stop_requested(void)
{
    return world.is_stopping;
}

enum outcome consumer_open(const struct config *config, const char *group,
                           const char *const *topics, const struct consumer_events *events,
                           struct consumer **out, struct err *err)
{
    assert_string_equal(group, "fake");
    assert_string_equal(topics[0], "input");
    assert_null(topics[1]);
    world.events = *events;
    *out = &the_consumer;
    return OUTCOME_OK;
}

void consumer_close(struct consumer *consumer)
{
}

static void announce(void)
{
    const int topics[] = {0};
    const int32_t partitions[] = {3};
    if (world.calls['t'] < world.scenario->assigned_at)
        return;
    if (!world.is_announced)
        world.events.assigned(world.events.arg, topics, partitions, 1);
    world.is_announced = true;
}

static void give(struct record *record)
{
    char value = world.scenario->values[world.given];
    *record = (struct record){.topic = 0,
                              .partition = 3,
                              .offset = (int64_t)world.given,
                              .timestamp_ms = 1,
                              .key = SPAN("k"),
                              .value = {world.scenario->values + world.given, 1}};
    if (value == 'o')
        record->value = (struct span){big_value, sizeof big_value};
    world.given++;
}

size_t consumer_take(struct consumer *consumer, struct record *records, size_t max,
                     size_t max_bytes, int timeout_ms, bool *caught_up, struct err *err)
{
    size_t count = 0, total = strlen(world.scenario->values);
    announce();
    *caught_up = true;
    err->outcome = OUTCOME_OK;
    if (max == 0) {
        world.waited_heartbeats++;
        return 0;
    }
    call('t', err);
    world.trace[strlen(world.trace) - 1] = 0;
    announce();
    while (count < max && world.given < total)
        give(&records[count++]);
    if (count == 0 && ++world.idle_takes > 1)
        world.is_stopping = true;
    return count;
}

void consumer_release(struct consumer *consumer, struct record *records, size_t count)
{
    world.released += count;
}

void consumer_commit(struct consumer *consumer)
{
    world.commits++;
    note('C');
}

size_t record_headers_size(const struct record *record)
{
    return 0;
}

const char *consumer_topic_name(const struct consumer *consumer, int topic)
{
    return "input";
}

int64_t consumer_epoch(const struct consumer *consumer)
{
    return world.epoch;
}

bool consumer_is_joined(const struct consumer *consumer)
{
    return true;
}

int64_t consumer_max_poll_interval_us(const struct consumer *consumer)
{
    return 300000000;
}

enum outcome producer_topic(struct producer *producer, const char *name, int *topic,
                            int32_t *partition_count, struct err *err)
{
    *topic = 7;
    assert_string_equal(name, "input.dlq");
    enum outcome outcome = call('T', err);
    world.trace[strlen(world.trace) - 1] = 0;
    return outcome;
}

static struct span header_of(const struct header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, name) == 0)
            return headers[i].value;
    }
    fail_msg("no header %s", name);
    return SPAN_NONE;
}

enum outcome producer_forward(struct producer *producer, int topic, struct span key,
                              const struct record *original, const struct header *extra,
                              size_t extra_count, struct err *err)
{
    char wanted_key[64];
    snprintf(wanted_key, sizeof wanted_key, "input-3-%lld", (long long)original->offset);
    assert_int_equal(topic, 7);
    assert_true(span_is(key, wanted_key));
    assert_true(span_is(header_of(extra, extra_count, "tutti.original.key"), "k"));
    assert_true(span_is(header_of(extra, extra_count, "__connect.errors.topic"), "input"));
    assert_true(span_is(header_of(extra, extra_count, "__connect.errors.partition"), "3"));
    struct span code = header_of(extra, extra_count, "tutti.error.code");
    struct span offset = header_of(extra, extra_count, "__connect.errors.offset");
    enum outcome outcome = call('L', err);
    size_t length = strlen(world.letters);
    if (outcome == OUTCOME_OK)
        snprintf(world.letters + length, sizeof world.letters - length, SPAN_FMT ":" SPAN_FMT " ",
                 SPAN_ARG(offset), SPAN_ARG(code));
    return outcome;
}

enum outcome producer_return(struct producer *producer, int topic, struct span key,
                             const struct record *original, const char *const *without,
                             struct err *err)
{
    fail_msg("nothing is parked without a registry");
    return OUTCOME_OK;
}

bool record_header(const struct record *record, const char *name, struct span *value)
{
    return false;
}

enum outcome producer_wait(struct producer *producer, int timeout_ms, void (*while_waiting)(void *),
                           void *arg, struct err *err)
{
    while_waiting(arg);
    return call('W', err);
}

enum outcome db_ready(struct db *db, struct err *err)
{
    enum outcome outcome = call('b', err);
    world.trace[strlen(world.trace) - 1] = 0;
    return outcome;
}

bool db_is_up(const struct db *db)
{
    return true;
}

void db_rollback(struct db *db)
{
    note('R');
}

/* ---- the fake service ---- */

static enum outcome fake_decode(void *self, struct batch *batch, const struct record *record,
                                struct err *err)
{
    if (!batch->events) {
        batch->events = arena_new(batch->arena, int);
        world.batch_count = 0;
    }
    enum outcome outcome = call('d', err);
    if (outcome != OUTCOME_OK)
        return outcome;
    assert_ptr_not_equal(record->value.ptr, big_value);
    if (record->value.ptr[0] == 'w')
        usleep(1100000);
    if (record->value.ptr[0] == 'x')
        return err_set(err, OUTCOME_REJECT, "bad_bytes", "not decodable");
    world.batch_values[world.batch_count] = record->value.ptr[0];
    world.batch_offsets[world.batch_count++] = (int)record->offset;
    return OUTCOME_OK;
}

static enum outcome fake_apply(void *self, struct batch *batch, struct err *err)
{
    enum outcome outcome = call('A', err);
    if (outcome != OUTCOME_OK)
        return outcome;
    for (size_t i = 0; i < world.batch_count; i++) {
        if (world.batch_values[i] == 'p')
            return err_set(err, OUTCOME_REJECT, "bad_data", "refused by a constraint");
    }
    for (size_t i = 0; i < world.batch_count; i++)
        world.applied[world.batch_offsets[i]]++;
    return OUTCOME_OK;
}

static enum outcome fake_publish(void *self, struct batch *batch, struct err *err)
{
    return call('P', err);
}

static enum outcome fake_finished(void *self, struct batch *batch, struct err *err)
{
    return call('F', err);
}

static enum outcome fake_renew(void *self, struct err *err)
{
    return call('N', err);
}

static void fake_dropped(void *self)
{
    note('U');
}

static void fake_assigned(void *self, const int *topics, const int32_t *partitions, size_t count)
{
    assert_int_equal(count, 1);
    assert_int_equal(partitions[0], 3);
    note('a');
}

static enum outcome fake_scan(void *self, struct arena *arena, struct err *err)
{
    return call('S', err);
}

static enum outcome fake_scanned(void *self, struct err *err)
{
    return call('s', err);
}

static const struct setting fake_settings[] = {
    {"topic.input", SETTING_TEXT, "input", 0, 0, NULL, "The input."},
    {"max.record.bytes", SETTING_BYTES, "900000", 1000, 900000, NULL, "The largest record."},
    {.name = NULL},
};
static const char *const fake_topics[] = {"topic.input", NULL};

static struct config *load_config(void)
{
    const struct setting *const tables[] = {pipeline_settings, fake_settings, NULL};
    char *argv[] = {"test", "--outbox.scan.interval=1h", "--max.record.bytes=1000"};
    struct config *config;
    enum config_action action;
    struct err err = {0};
    if (config_load("test", tables, 3, argv, &config, &action, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    return config;
}

/* Runs a scenario to its end; gives the outcome of opening or of the loop. */
static enum outcome play(const struct scenario *scenario, struct err *err)
{
    memset(&world, 0, sizeof world);
    world.scenario = scenario;
    world.epoch = 1;
    struct service service = {.name = "fake",
                              .settings = fake_settings,
                              .topic_settings = fake_topics,
                              .size_setting = "max.record.bytes",
                              .assigned = fake_assigned,
                              .decode = fake_decode,
                              .apply = fake_apply,
                              .publish = fake_publish,
                              .finished = fake_finished,
                              .dropped = fake_dropped,
                              .renew = fake_renew};
    if (scenario->has_scan) {
        service.scan = fake_scan;
        service.scanned = fake_scanned;
    }
    struct policy_source policies = {.dir = "policies"};
    struct service_context context = {
        .config = load_config(), .policies = &policies, .db = &the_db, .producer = &the_producer};
    struct pipeline *pipeline;
    enum outcome outcome = pipeline_open(&service, NULL, &context, &pipeline, err);
    if (outcome == OUTCOME_OK)
        outcome = pipeline_run(pipeline, err);
    pipeline_close(pipeline);
    config_free((struct config *)context.config);
    return outcome;
}

static void check_effects(const struct scenario *scenario)
{
    for (size_t i = 0; i < world.given; i++) {
        bool is_good = scenario->values[i] == 'g';
        if (scenario->outcome == OUTCOME_OK && scenario->commits > 0 && is_good &&
            world.applied[i] < 1)
            fail_msg("%s: record %zu took no effect", scenario->name, i);
        if (!is_good && world.applied[i] > 0)
            fail_msg("%s: record %zu took effect", scenario->name, i);
    }
}

static void check(const struct scenario *scenario)
{
    struct err err = {0};
    enum outcome outcome = play(scenario, &err);
    if (outcome != scenario->outcome)
        fail_msg("%s: outcome %d, %s", scenario->name, outcome, err.message);
    if (scenario->trace && strcmp(world.trace, scenario->trace) != 0)
        fail_msg("%s:\n  wanted %s\n  but    %s", scenario->name, scenario->trace, world.trace);
    if (strcmp(world.letters, scenario->letters ? scenario->letters : "") != 0)
        fail_msg("%s: dead letters %s", scenario->name, world.letters);
    if (world.commits != scenario->commits)
        fail_msg("%s: %d commits", scenario->name, world.commits);
    if (world.released != world.given)
        fail_msg("%s: %zu records of %zu released", scenario->name, world.released, world.given);
    check_effects(scenario);
}

#define FATAL OUTCOME_FATAL
#define RETRY OUTCOME_RETRY

static const struct scenario scenarios[] = {
    {"a batch walks its steps", "ggg", .trace = "adddAPWFWC", .commits = 1},
    {"nothing to do", "", .trace = "a"},
    /* RETRY: the same records again, offsets last */
    {"decode is tried again",
     "gg",
     {{'d', 2, RETRY, "registry_down", 0}},
     .trace = "addRUddAPWFWC",
     .commits = 1},
    {"apply is tried again",
     "gg",
     {{'A', 1, RETRY, "40001", 0}, {'A', 2, RETRY, "40001", 0}},
     .trace = "addARUddARUddAPWFWC",
     .commits = 1},
    {"other policies are taken before the next try",
     "gg",
     {{'A', 1, RETRY, "generation_changed", 0}},
     .trace = "addARUNddAPWFWC",
     .commits = 1},
    {"... until they are",
     "gg",
     {{'A', 1, RETRY, "generation_changed", 0}, {'N', 1, RETRY, "db_down", 0}},
     .trace = "addARUNRUNddAPWFWC",
     .commits = 1},
    {"too much for one transaction",
     "ggg",
     {{'A', 1, RETRY, "db_down", 0}, {'A', 2, RETRY, "db_down", 0}, {'A', 3, RETRY, "db_down", 0}},
     .trace = "adddARUdddARUdddARUdAPWFWddAPWFWC",
     .commits = 1},
    {"one record is never too much",
     "g",
     {{'A', 1, RETRY, "db_down", 0},
      {'A', 2, RETRY, "db_down", 0},
      {'A', 3, RETRY, "db_down", 0},
      {'A', 4, RETRY, "db_down", 0}},
     .trace = "adARUdARUdARUdARUdAPWFWC",
     .commits = 1},
    {"publish is tried again",
     "gg",
     {{'P', 1, RETRY, "queue", 0}},
     .trace = "addAPRUddAPWFWC",
     .commits = 1},
    {"lost messages are published again",
     "gg",
     {{'W', 1, RETRY, "produce_failed", 0}},
     .trace = "addAPWRUddAPWFWC",
     .commits = 1},
    {"finished is tried again",
     "gg",
     {{'F', 1, RETRY, "db_down", 0}},
     .trace = "addAPWFRUddAPWFWC",
     .commits = 1},
    {"what finished sent is lost",
     "gg",
     {{'W', 2, RETRY, "produce_failed", 0}},
     .trace = "addAPWFWRUddAPWFWC",
     .commits = 1},
    {"a stalled broker is waited for, nothing is sent twice",
     "gg",
     {{'W', 1, RETRY, "produce_stalled", 0}, {'W', 2, RETRY, "produce_stalled", 0}},
     .trace = "addAPWWWFWC",
     .commits = 1},
    {"the database is waited for before apply",
     "gg",
     {{'b', 2, RETRY, "db_down", 0}, {'b', 3, RETRY, "db_down", 0}},
     .trace = "addAPWFWC",
     .commits = 1},
    /* REJECT: exactly the records at fault */
    {"decode refuses one", "gxg", .trace = "adddAPWFWLWC", .letters = "1:bad_bytes ", .commits = 1},
    {"decode refuses all", "xx", .trace = "addLLWC", .letters = "0:bad_bytes 1:bad_bytes ",
     .commits = 1},
    {"an oversized record is not even decoded", "gog", .trace = "addAPWFWLWC",
     .letters = "1:record_too_large ", .commits = 1},
    {"apply refuses a lone record", "p", .trace = "adARULWC", .letters = "0:bad_data ",
     .commits = 1},
    {"halving finds one of four", "ggpg", .trace = "addddARUddAPWFWddARUdARUdAPWFWLWC",
     .letters = "2:bad_data ", .commits = 1},
    {"halving finds many among twenty", "gggpgggxgggggpgggggp",
     .letters = "3:bad_data 7:bad_bytes 13:bad_data 19:bad_data ", .commits = 1},
    {"a retry inside a half",
     "gp",
     {{'A', 2, RETRY, "40P01", 0}},
     .trace = "addARUdARUdAPWFWdARULWC",
     .letters = "1:bad_data ",
     .commits = 1},
    {"dead letters are acknowledged before the commit",
     "gx",
     {{'W', 3, RETRY, "produce_failed", 0}},
     .trace = "addAPWFWLWLWC",
     .letters = "1:bad_bytes 1:bad_bytes ",
     .commits = 1},
    /* FATAL: no commit */
    {"apply is fatal",
     "gg",
     {{'A', 1, FATAL, "invariant", 0}},
     .trace = "addARU",
     .outcome = FATAL},
    {"decode is fatal", "gg", {{'d', 1, FATAL, "invariant", 0}}, .trace = "adRU", .outcome = FATAL},
    {"the database is fatal",
     "gg",
     {{'b', 2, FATAL, "42P01", 0}},
     .trace = "addRU",
     .outcome = FATAL},
    /* a stop */
    {"a stop lets the batch finish",
     "gg",
     {{'A', 1, OUTCOME_OK, NULL, 's'}},
     .trace = "addAPWFWC",
     .commits = 1},
    {"a stop while a batch would be tried again gives it up",
     "gg",
     {{'A', 1, RETRY, "db_down", 's'}},
     .trace = "addARU"},
    {"a stop while the broker stalls",
     "gg",
     {{'W', 1, RETRY, "produce_stalled", 's'}},
     .trace = "addAPWRU"},
    {"a stop while the database is down",
     "gg",
     {{'b', 2, RETRY, "db_down", 0}, {'b', 3, RETRY, "db_down", 's'}},
     .trace = "addRU"},
    /* a rebalance: told between batches */
    {"a rebalance while waiting: finished, then told",
     "gg",
     {{'W', 1, OUTCOME_OK, NULL, 'e'}},
     .trace = "addAPWFWCa",
     .commits = 1},
    {"a rebalance, then a failure: given up",
     "gg",
     {{'P', 1, RETRY, "x", 'e'}},
     .trace = "addAPRUa"},
    /* scans */
    {"scan at start and after an assignment",
     "g",
     {{'W', 2, OUTCOME_OK, NULL, 'e'}},
     .has_scan = true,
     .trace = "aSWsdAPWFWCaSWs",
     .commits = 1},
    {"scan after a failed batch",
     "g",
     {{'A', 1, RETRY, "commit_unknown", 0}},
     .has_scan = true,
     .trace = "aSWsdARUdAPWFWCSWs",
     .commits = 1},
    {"a scan that fails does not stop the batch",
     "g",
     {{'S', 1, RETRY, "db_down", 0}},
     .has_scan = true,
     .commits = 1},
    {"a fatal scan",
     "g",
     {{'S', 1, FATAL, "invariant", 0}},
     .has_scan = true,
     .trace = "aSRU",
     .outcome = FATAL},
    /* start */
    {"a missing dead letter topic",
     "g",
     {{'T', 1, FATAL, "topic_missing", 0}},
     .trace = "",
     .outcome = FATAL},
    {"Kafka down at the start",
     "g",
     {{'T', 1, RETRY, "kafka_down", 0}},
     .trace = "",
     .outcome = RETRY},
};

static void every_outcome_of_every_step(void **state)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        check(&scenarios[i]);
}

/* Good records among refused ones take effect in exactly one successful apply each. */
static void neighbours_of_refused_records_take_effect_once(void **state)
{
    struct scenario scenario = {.name = "neighbours", .values = "gggpgggxgggggpgggggpgggggggoggg"};
    struct err err = {0};
    assert_int_equal(play(&scenario, &err), OUTCOME_OK);
    for (size_t i = 0; scenario.values[i]; i++)
        assert_int_equal(world.applied[i], scenario.values[i] == 'g');
    assert_int_equal(world.commits, 1);
}

static void the_group_is_served_while_the_database_is_down(void **state)
{
    struct scenario scenario = {
        .name = "heartbeats",
        .values = "g",
        .faults = {{'b', 2, RETRY, "db_down", 0}, {'b', 3, RETRY, "db_down", 0}}};
    struct err err = {0};
    assert_int_equal(play(&scenario, &err), OUTCOME_OK);
    /* two of them belong to the waits for acknowledgements */
    assert_true(world.waited_heartbeats > 4);
    assert_int_equal(world.applied[0], 1);
}

/* Each record waits for a slow registry. */
static void the_group_is_served_while_a_batch_is_decoded(void **state)
{
    struct scenario scenario = {
        .name = "slow", .values = "wwww", .faults = {{'A', 1, FATAL, "x", 0}}};
    struct err err = {0};
    assert_int_equal(play(&scenario, &err), OUTCOME_FATAL);
    assert_true(world.waited_heartbeats >= 3);
}

static void records_of_an_older_assignment_are_forgotten(void **state)
{
    struct scenario scenario = {
        .name = "older", .values = "ggg", .faults = {{'t', 2, OUTCOME_OK, NULL, 'e'}}};
    struct err err = {0};
    assert_int_equal(play(&scenario, &err), OUTCOME_OK);
    assert_string_equal(
        world.trace,
        "a"); /* all three were taken before the rebalance: they come again elsewhere */
    assert_int_equal(world.released, 3);
    assert_int_equal(world.commits, 0);
}

/* Else an instance would be ready up to a second after it has joined. */
static void servers_are_looked_at_as_soon_as_partitions_are_assigned(void **state)
{
    struct scenario scenario = {.name = "joins", .values = "", .assigned_at = 2};
    struct err err = {0};
    assert_int_equal(play(&scenario, &err), OUTCOME_OK);
    assert_string_equal(world.trace, "a");
    assert_int_equal(world.calls['b'], 2);
}

int main(void)
{
    log_open("test", "error", "logfmt");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_of_every_step),
        cmocka_unit_test(neighbours_of_refused_records_take_effect_once),
        cmocka_unit_test(the_group_is_served_while_the_database_is_down),
        cmocka_unit_test(the_group_is_served_while_a_batch_is_decoded),
        cmocka_unit_test(records_of_an_older_assignment_are_forgotten),
        cmocka_unit_test(servers_are_looked_at_as_soon_as_partitions_are_assigned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
