/* bus_roundtrip_test.c: producer and consumer on a real broker: nothing lost, ordered by time,
 * rebalance, costs. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "common/bus/consumer.h"
#include "common/bus/producer.h"
#include "common/runtime/clock.h"
#include "tests/support/deadline.h"
#include "tests/support/kafka.h"

enum { PARTITIONS = 8, RECORDS = 200000, VALUE = 260, BATCH = 20000, POOL = 8192 };

static const char *brokers;
static char topic[64], skewed_topic[64];
static struct config *config;
static struct record records[BATCH];

static void must(enum outcome outcome, const struct err *err)
{
    if (outcome != OUTCOME_OK)
        fail_msg("%s: %s", err->code, err->message);
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Words of a small vocabulary, so that compression finds what it finds in real touchpoints. */
static void fill_value(char *value, uint32_t number)
{
    static const char *const words[] = {"web",    "email",    "cart",       "view",
                                        "search", "urn:shop", "/products/", "mortgage"};
    uint64_t random = number * UINT64_C(0x9E3779B97F4A7C15) + 1;
    memcpy(value, &number, sizeof number);
    size_t at = sizeof number;
    while (at + 24 < VALUE) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        at += (size_t)snprintf(value + at, VALUE - at, "%s%06" PRIx64, words[random % 8],
                               random >> 40);
    }
    memset(value + at, '.', VALUE - at);
}

static uint32_t number_of(const struct record *record)
{
    uint32_t number;
    assert_int_equal(record->value.len, VALUE);
    memcpy(&number, record->value.ptr, sizeof number);
    return number;
}

static struct consumer *open_consumer(const char *group, const char *name,
                                      const struct consumer_events *events)
{
    struct consumer *consumer;
    struct err err = {0};
    const char *const topics[] = {name, NULL};
    must(consumer_open(config, group, topics, events, &consumer, &err), &err);
    return consumer;
}

static void produce(const char *name, uint32_t count, int32_t (*partition_of)(uint32_t))
{
    struct producer *producer;
    struct err err = {0};
    static char values[POOL][VALUE];
    int index;
    int32_t partitions;
    for (uint32_t i = 0; i < POOL; i++)
        fill_value(values[i], i);
    must(producer_open(config, &producer, &err), &err);
    must(producer_topic(producer, name, &index, &partitions, &err), &err);
    assert_int_equal(partitions, PARTITIONS);
    int64_t started = clock_monotonic_us();
    double before = cpu_us();
    for (uint32_t i = 0; i < count; i++) {
        char *value = values[i % POOL];
        memcpy(value, &i, sizeof i);
        struct span key = {(const char *)&i, sizeof i};
        must(producer_send(producer, index, partition_of(i), key, (struct span){value, VALUE}, NULL,
                           0, &err),
             &err);
    }
    must(producer_wait(producer, DEADLINE_MS, NULL, NULL, &err), &err);
    double seconds = (double)(clock_monotonic_us() - started) / 1e6;
    print_message("produced %u: %.2f CPU-us per record, %.0f/s\n", count,
                  (cpu_us() - before) / count, count / seconds);
    producer_close(producer);
}

static int32_t by_key(uint32_t number)
{
    return -1;
}

/* Partition 0 gets nine in ten. */
static int32_t skewed(uint32_t number)
{
    return number % 10 ? 0 : (int32_t)(1 + number / 10 % (PARTITIONS - 1));
}

struct tally {
    uint8_t *seen;
    size_t distinct, repeats, disorder;
    int64_t last_ms, worst_ms;
};

static void count_records(struct tally *tally, const struct record *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t number = number_of(&batch[i]);
        assert_in_range(number, 0, RECORDS - 1);
        tally->repeats += tally->seen[number];
        tally->distinct += !tally->seen[number];
        tally->seen[number] = 1;
        if (batch[i].timestamp_ms < tally->last_ms) {
            tally->disorder++;
            if (tally->last_ms - batch[i].timestamp_ms > tally->worst_ms)
                tally->worst_ms = tally->last_ms - batch[i].timestamp_ms;
        } else {
            tally->last_ms = batch[i].timestamp_ms;
        }
    }
}

static size_t take(struct consumer *consumer, struct tally *tally, int timeout_ms, bool *caught_up)
{
    struct err err = {0};
    size_t count = consumer_take(consumer, records, BATCH, SIZE_MAX, timeout_ms, caught_up, &err);
    must(err.outcome, &err);
    count_records(tally, records, count);
    consumer_release(consumer, records, count);
    return count;
}

static struct tally tally_new(void)
{
    return (struct tally){.seen = calloc(RECORDS, 1)};
}

static void drain(const char *group, const char *name, struct tally *tally)
{
    struct consumer *consumer = open_consumer(group, name, NULL);
    bool caught_up = false;
    struct deadline deadline = deadline_start();
    int64_t first = 0;
    size_t takes = 0;
    double before = cpu_us();
    while (!caught_up) {
        deadline_check(deadline, "all records are consumed");
        size_t count = take(consumer, tally, 100, &caught_up);
        takes += count > 0;
        if (count && !first)
            first = clock_monotonic_us();
    }
    double seconds = (double)(clock_monotonic_us() - first) / 1e6;
    print_message("%s: consumed %zu: %.2f CPU-us per record, %.0f/s after the first, %zu batches, "
                  "%zu late, %" PRId64 " ms at worst\n",
                  name, tally->distinct, (cpu_us() - before) / (double)tally->distinct,
                  (double)tally->distinct / seconds, takes, tally->disorder, tally->worst_ms);
    assert_true(caught_up);
    int64_t idle = clock_monotonic_us();
    assert_int_equal(take(consumer, tally, 50, &caught_up), 0);
    assert_true(clock_monotonic_us() - idle < 5000000); /* a busy machine takes its time, too */
    consumer_commit(consumer);
    consumer_close(consumer);
}

static void everything_arrives_once_in_the_order_of_time(void **state)
{
    struct tally tally = tally_new();
    produce(topic, RECORDS, by_key);
    drain("order", topic, &tally);
    assert_int_equal(tally.distinct, RECORDS);
    assert_int_equal(tally.repeats, 0);
    assert_true(tally.disorder < RECORDS / 100);
    free(tally.seen);
}

static void what_was_committed_is_not_handed_out_again(void **state)
{
    struct tally tally = tally_new();
    drain("order", topic, &tally);
    assert_int_equal(tally.distinct, 0);
    free(tally.seen);
}

static void partitions_of_different_rates_stay_in_order(void **state)
{
    struct tally tally = tally_new();
    produce(skewed_topic, RECORDS, skewed);
    drain("skewed", skewed_topic, &tally);
    assert_int_equal(tally.distinct, RECORDS);
    assert_true(tally.disorder < RECORDS / 100);
    free(tally.seen);
}

struct member {
    struct consumer *consumer;
    size_t partitions, assignments;
};

static void on_assigned(void *arg, const int *topics, const int32_t *partitions, size_t count)
{
    struct member *member = arg;
    member->partitions = count;
    member->assignments++;
}

static void open_member(struct member *member, const char *group)
{
    struct consumer_events events = {member, on_assigned, NULL};
    member->consumer = open_consumer(group, topic, &events);
}

/* One takes a part and commits, another joins, the first leaves: all is seen, little twice. */
static void two_instances_share_and_lose_nothing(void **state)
{
    struct tally tally = tally_new();
    struct member a = {0}, b = {0};
    bool caught_up = false, b_caught_up = false;
    struct deadline deadline = deadline_start();
    open_member(&a, "shared");
    while (tally.distinct < 3 * BATCH) {
        deadline_check(deadline, "the first consumer takes records");
        take(a.consumer, &tally, 100, &caught_up);
        consumer_commit(a.consumer);
    }
    int64_t epoch = consumer_epoch(a.consumer);
    open_member(&b, "shared");
    while (b.partitions != PARTITIONS / 2 || a.partitions != PARTITIONS / 2) {
        deadline_check(deadline, "each consumer has half of the partitions");
        consumer_take(a.consumer, records, 0, 0, 20, &caught_up, NULL);
        consumer_take(b.consumer, records, 0, 0, 20, &caught_up, NULL);
    }
    assert_true(consumer_epoch(a.consumer) > epoch);
    size_t taken = 0; /* handed out, never committed: given away below */
    while (taken == 0) {
        deadline_check(deadline, "the first consumer takes some more");
        taken = take(a.consumer, &tally, 100, &caught_up);
    }
    consumer_close(a.consumer);
    while (!b_caught_up || b.partitions < PARTITIONS) {
        deadline_check(deadline, "the second consumer takes the rest");
        take(b.consumer, &tally, 100, &b_caught_up);
        consumer_commit(b.consumer);
    }
    consumer_close(b.consumer);
    assert_int_equal(tally.distinct, RECORDS);
    assert_in_range(tally.repeats, 1, BATCH);
    free(tally.seen);
}

static void a_missing_topic_is_named_with_its_remedy(void **state)
{
    struct consumer *consumer;
    struct producer *producer;
    struct err err = {0};
    int index;
    const char *const topics[] = {"no.such.topic", NULL};
    assert_int_equal(consumer_open(config, "missing", topics, NULL, &consumer, &err),
                     OUTCOME_FATAL);
    assert_null(consumer);
    assert_non_null(strstr(err.message, "no.such.topic"));
    assert_non_null(strstr(err.message, "tutti topics"));
    must(producer_open(config, &producer, &err), &err);
    assert_int_equal(producer_topic(producer, "no.such.topic", &index, NULL, &err), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "tutti topics"));
    producer_close(producer);
}

static void forwarding_keeps_key_value_headers_and_time(void **state)
{
    struct producer *producer;
    struct consumer *consumer = open_consumer("forward", skewed_topic, NULL);
    struct err err = {0};
    struct record one[1];
    bool caught_up = false;
    int index;
    struct deadline deadline = deadline_start();
    must(producer_open(config, &producer, &err), &err);
    must(producer_topic(producer, skewed_topic, &index, NULL, &err), &err);
    while (consumer_take(consumer, one, 1, SIZE_MAX, 100, &caught_up, &err) == 0)
        deadline_check(deadline, "a record to forward");
    struct header extra[] = {{"reason", SPAN("first")}, {"nothing", SPAN_NONE}};
    must(producer_forward(producer, index, SPAN("position"), &one[0], extra, 2, &err), &err);
    must(producer_wait(producer, DEADLINE_MS, NULL, NULL, &err), &err);
    struct span value;
    struct record *found = NULL;
    while (!found) {
        deadline_check(deadline, "the forwarded record");
        size_t count = consumer_take(consumer, records, BATCH, SIZE_MAX, 100, &caught_up, &err);
        for (size_t i = 0; i < count && !found; i++) {
            if (span_is(records[i].key, "position"))
                found = &records[i];
        }
        if (found) {
            assert_true(record_header(found, "reason", &value) && span_is(value, "first"));
            assert_true(record_header(found, "nothing", &value) && value.ptr == NULL);
            assert_false(record_header(found, "absent", &value));
            assert_int_equal(found->timestamp_ms, one[0].timestamp_ms);
            assert_true(span_equal(found->value, one[0].value));
        }
        consumer_release(consumer, records, count);
    }
    assert_non_null(found);
    consumer_release(consumer, one, 1);
    consumer_close(consumer);
    producer_close(producer);
}

static int set_up(void **state)
{
    const char *const flags[] = {"--kafka.consumer.session.timeout.ms=6000", NULL};
    snprintf(topic, sizeof topic, "test.bus.%d", (int)getpid());
    snprintf(skewed_topic, sizeof skewed_topic, "test.bus.skewed.%d", (int)getpid());
    kafka_create_topic(brokers, topic, PARTITIONS);
    kafka_create_topic(brokers, skewed_topic, PARTITIONS);
    config = kafka_test_config(brokers, NULL, flags);
    return 0;
}

static int tear_down(void **state)
{
    kafka_delete_topic(brokers, topic);
    kafka_delete_topic(brokers, skewed_topic);
    config_free(config);
    return 0;
}

int main(void)
{
    brokers = kafka_brokers();
    if (!brokers)
        return KAFKA_SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_once_in_the_order_of_time),
        cmocka_unit_test(what_was_committed_is_not_handed_out_again),
        cmocka_unit_test(partitions_of_different_rates_stay_in_order),
        cmocka_unit_test(two_instances_share_and_lose_nothing),
        cmocka_unit_test(a_missing_topic_is_named_with_its_remedy),
        cmocka_unit_test(forwarding_keeps_key_value_headers_and_time),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
