/* bus_producer_test.c: what the producer makes of protocol errors, on librdkafka's mock brokers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <cmocka.h>

#include <librdkafka/rdkafka_mock.h>

#include "common/bus/consumer.h"
#include "common/bus/kafka_conf.h"
#include "common/bus/producer.h"
#include "common/runtime/log.h"
#include "tests/support/deadline.h"
#include "tests/support/kafka.h"

enum { PRODUCE = 0 }; /* the request's key in the protocol */
enum { PARTITIONS = 2 };

static struct {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    struct config *config;
    struct producer *producer;
    int topic;
} world;

static int set_up(void **state)
{
    struct err err = {0};
    const char *const flags[] = {"--kafka.reconnect.backoff.max.ms=100", NULL};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_conf_force(conf, "log_level", "3");
    world.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    world.cluster = rd_kafka_mock_cluster_new(world.rk, 1);
    rd_kafka_mock_topic_create(world.cluster, "t", PARTITIONS, 1);
    world.config = kafka_test_config(rd_kafka_mock_cluster_bootstraps(world.cluster), NULL, flags);
    if (producer_open(world.config, &world.producer, &err) != OUTCOME_OK)
        return -1;
    return producer_topic(world.producer, "t", &world.topic, NULL, &err);
}

static int tear_down(void **state)
{
    producer_close(world.producer);
    config_free(world.config);
    rd_kafka_mock_cluster_destroy(world.cluster);
    rd_kafka_destroy(world.rk);
    return 0;
}

static void send_numbers(int first, int count)
{
    struct err err = {0};
    for (int i = first; i < first + count; i++) {
        struct span key = {(const char *)&i, sizeof i};
        if (producer_send(world.producer, world.topic, -1, key, key, NULL, 0, &err) != OUTCOME_OK)
            fail_msg("%s", err.message);
    }
}

static enum outcome wait_ms(int timeout_ms, struct err *err)
{
    return producer_wait(world.producer, timeout_ms, NULL, NULL, err);
}

static void expect_retry(int timeout_ms, const char *code)
{
    struct err err = {0};
    assert_int_equal(wait_ms(timeout_ms, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, code);
}

static void expect_ok(void)
{
    struct err err = {0};
    if (wait_ms(DEADLINE_MS, &err) != OUTCOME_OK)
        fail_msg("%s: %s", err.code, err.message);
}

/* A reader of both partitions from their beginning, in no group: the mock broker lets a group wait
 * 3 s. */
static rd_kafka_t *open_reader(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_conf_force(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(world.cluster));
    kafka_conf_force(conf, "group.id", "count");
    kafka_conf_force(conf, "enable.auto.commit", "false");
    kafka_conf_force(conf, "enable.partition.eof", "true");
    rd_kafka_t *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(parts, "t", i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(reader, parts), 0);
    rd_kafka_topic_partition_list_destroy(parts);
    return reader;
}

/* How often each number below count is at the broker. */
static void count_stored(int *copies, int count, int wanted)
{
    rd_kafka_t *reader = open_reader();
    int distinct = 0, ended = 0;
    struct deadline deadline = deadline_start();
    while (ended < PARTITIONS) {
        deadline_check(deadline, "the ends of all partitions");
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 100);
        if (message == NULL)
            continue;
        ended += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            int number;
            memcpy(&number, message->payload, sizeof number);
            assert_in_range(number, 0, count - 1);
            distinct += copies[number]++ == 0;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    assert_int_equal(distinct, wanted);
}

static void refused_messages_are_reported_and_can_be_sent_again(void **state)
{
    int copies[10] = {0};
    rd_kafka_mock_push_request_errors(world.cluster, PRODUCE, 2, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
                                      RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE);
    send_numbers(0, 10);
    expect_retry(5000, "produce_failed");
    send_numbers(0, 10);
    expect_ok();
    count_stored(copies, 10, 10);
    expect_ok(); /* nothing outstanding: at once */
}

static void passing_errors_are_retried_inside(void **state)
{
    int copies[10] = {0};
    rd_kafka_mock_push_request_errors(world.cluster, PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    send_numbers(0, 10);
    expect_ok();
    count_stored(copies, 10, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(copies[i], 1);
}

static void a_fatal_producer_is_replaced(void **state)
{
    int copies[20] = {0};
    send_numbers(0, 5);
    expect_ok();
    rd_kafka_mock_push_request_errors(world.cluster, PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    send_numbers(5, 5);
    expect_retry(5000, "producer_replaced");
    send_numbers(5, 15);
    expect_ok();
    count_stored(copies, 20, 20);
}

static void a_stall_can_be_waited_out(void **state)
{
    int copies[10] = {0};
    rd_kafka_mock_broker_set_down(world.cluster, 1);
    send_numbers(0, 10);
    expect_retry(300, "produce_stalled");
    expect_retry(300, "produce_stalled");
    rd_kafka_mock_broker_set_up(world.cluster, 1);
    expect_ok();
    count_stored(copies, 10, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(copies[i], 1);
}

static void sending_again_after_a_stall_drops_what_was_outstanding(void **state)
{
    int copies[10] = {0};
    rd_kafka_mock_broker_set_down(world.cluster, 1);
    send_numbers(0, 5);
    expect_retry(300, "produce_stalled");
    send_numbers(5, 5);
    expect_retry(300, "produce_stalled");
    rd_kafka_mock_broker_set_up(world.cluster, 1);
    expect_ok();
    count_stored(copies, 10, 5);
    for (int i = 0; i < 10; i++)
        assert_int_equal(copies[i], i >= 5);
}

static void a_message_that_is_too_large_is_the_datas_fault(void **state)
{
    static char huge[1100000];
    struct err err = {0};
    enum outcome outcome = producer_send(world.producer, world.topic, 0, SPAN("k"),
                                         (struct span){huge, sizeof huge}, NULL, 0, &err);
    assert_int_equal(outcome, OUTCOME_REJECT);
    assert_string_equal(err.code, "message_too_large");
    expect_ok();
}

/* ---- configurations ---- */

struct setting_case {
    const char *flag;
    const char *message; /* part of the error; NULL: fine */
};

static const struct setting_case setting_cases[] = {
    {"--kafka.linger.ms=5", NULL},
    {"--kafka.producer.linger.ms=5", NULL},
    {"--kafka.consumer.fetch.wait.max.ms=5", NULL},
    {"--kafka.session.timeot.ms=5000", "did you mean kafka.session.timeout.ms?"},
    {"--kafka.consumer.fetch.min.byte=5", "did you mean kafka.consumer.fetch.min.bytes?"},
    {"--kafka.lingr.ms=5", "did you mean kafka.linger.ms?"},
    {"--kafka.producer.linger=5", "unknown setting kafka.producer.linger"},
    {"--kafka.linger.ms=often", "kafka.linger.ms"},
    {"--kafka.group.id=g", "use group.id"},
    {"--kafka.consumer.enable.auto.commit=true", "kafka.consumer.enable.auto.commit cannot be set"},
};

static void misspelt_settings_are_not_met_with_silence(void **state)
{
    for (size_t i = 0; i < sizeof setting_cases / sizeof *setting_cases; i++) {
        const struct setting_case *one = &setting_cases[i];
        const char *const flags[] = {one->flag, NULL};
        struct err err = {0};
        struct config *config = kafka_test_config("127.0.0.1:1", NULL, flags);
        enum outcome outcome = consumer_check_config(config, &err);
        if (outcome == OUTCOME_OK)
            outcome = producer_check_config(config, &err);
        if (outcome != (one->message ? OUTCOME_FATAL : OUTCOME_OK))
            fail_msg("%s: outcome %d %s", one->flag, outcome, err.message);
        if (one->message && !strstr(err.message, one->message))
            fail_msg("%s: %s", one->flag, err.message);
        config_free(config);
    }
}

static void settings_of_one_client_override_the_common_ones(void **state)
{
    const char *const flags[] = {"--kafka.producer.linger.ms=7", "--kafka.linger.ms=9",
                                 "--kafka.client.id=x", NULL};
    struct config *config = kafka_test_config("127.0.0.1:1", NULL, flags);
    struct err err = {0};
    rd_kafka_conf_t *conf;
    assert_int_equal(kafka_conf_producer(config, &conf, &err), OUTCOME_OK);
    assert_int_equal(kafka_conf_number(conf, "linger.ms"), 7);
    rd_kafka_conf_destroy(conf);
    config_free(config);
}

int main(void)
{
    log_open("test", "error", "logfmt");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused_messages_are_reported_and_can_be_sent_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(passing_errors_are_retried_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fatal_producer_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stall_can_be_waited_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sending_again_after_a_stall_drops_what_was_outstanding,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_is_too_large_is_the_datas_fault, set_up,
                                        tear_down),
        cmocka_unit_test(misspelt_settings_are_not_met_with_silence),
        cmocka_unit_test(settings_of_one_client_override_the_common_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
