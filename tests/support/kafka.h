/* kafka.h: scratch topics and configurations for tests on the broker of
 * TUTTI_KAFKA_BOOTSTRAP_SERVERS. */
#ifndef TUTTI_TESTS_KAFKA_H
#define TUTTI_TESTS_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/runtime/config.h"
#include "tests/support/deadline.h"

enum { KAFKA_SKIPPED = 77 }; /* exit status that ctest reports as skipped */

/* The brokers, or NULL and one line why the tests are skipped. */
static inline const char *kafka_brokers(void)
{
    const char *brokers = getenv("TUTTI_KAFKA_BOOTSTRAP_SERVERS");
    if (brokers && *brokers)
        return brokers;
    fprintf(stderr, "SKIPPED: TUTTI_KAFKA_BOOTSTRAP_SERVERS is not set (dev/stack up, then eval "
                    "\"$(dev/stack env)\")\n");
    return NULL;
}

/* A configuration of the given tables, brokers and further "--key=value" flags (NULL-ended). */
static inline struct config *kafka_test_config(const char *brokers,
                                               const struct setting *const *tables,
                                               const char *const *flags)
{
    static const struct setting no_settings[] = {{.name = NULL}};
    static const struct setting *const no_tables[] = {no_settings, NULL};
    char bootstrap[300];
    char *argv[32] = {"test", bootstrap};
    int argc = 2;
    struct config *config;
    enum config_action action;
    struct err err = {0};
    snprintf(bootstrap, sizeof bootstrap, "--kafka.bootstrap.servers=%s", brokers);
    for (; flags && *flags && argc < 31; flags++)
        argv[argc++] = (char *)*flags;
    if (config_load("test", tables ? tables : no_tables, argc, argv, &config, &action, &err) !=
        OUTCOME_OK) {
        fprintf(stderr, "config: %s\n", err.message);
        exit(1);
    }
    return config;
}

static inline rd_kafka_t *kafka_admin(const char *brokers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!rk)
        exit(1);
    return rk;
}

/* Creates a topic; ends the program if that fails. */
static inline void kafka_create_topic(const char *brokers, const char *name, int partitions)
{
    char text[256];
    rd_kafka_t *rk = kafka_admin(brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof text);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, DEADLINE_MS);
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        event
            ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
            : NULL;
    if (count != 1 || rd_kafka_topic_result_error(results[0])) {
        fprintf(stderr, "cannot create %s within %d s\n", name, DEADLINE_SECONDS);
        exit(1);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static inline void kafka_delete_topic(const char *brokers, const char *name)
{
    rd_kafka_t *rk = kafka_admin(brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, DEADLINE_MS);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

#endif
