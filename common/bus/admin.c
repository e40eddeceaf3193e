/* admin.c: see admin.h. */
#include "common/bus/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus/admin_internal.h"
#include "common/bus/kafka_conf.h"
#include "common/bus/kafka_reason.h"

enum { METADATA_MS = 5000, ADMIN_MS = 10000 };

/* Since Kafka 3.6. How far a record's timestamp may be ahead of the broker's clock. */
#define FUTURE_CONFIG  "message.timestamp.after.max.ms"
#define REFUSED_CONFIG "kafka_config"

enum outcome admin_open(const struct config *config, struct admin **out, struct err *err)
{
    rd_kafka_conf_t *conf;
    char text[256];
    CHECK(kafka_conf_producer(config, &conf, err));
    rd_kafka_conf_set_log_cb(conf, kafka_log);
    /* it sends nothing: no producer id needed */
    kafka_conf_force(conf, "enable.idempotence", "false");
    struct admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        abort();
    admin->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!admin->rk) {
        rd_kafka_conf_destroy(conf);
        free(admin);
        return err_set(err, OUTCOME_FATAL, "config_invalid", "Kafka: %s", text);
    }
    rd_kafka_set_log_queue(admin->rk, NULL);
    admin->queue = rd_kafka_queue_new(admin->rk);
    *out = admin;
    return OUTCOME_OK;
}

void admin_close(struct admin *admin)
{
    if (!admin)
        return;
    if (admin->queue)
        rd_kafka_queue_destroy(admin->queue);
    rd_kafka_destroy(admin->rk);
    free(admin);
}

enum outcome admin_down(struct err *err, const char *why)
{
    return err_set(err, OUTCOME_RETRY, "kafka_down", "Kafka does not answer: %s", why);
}

static enum outcome read_metadata(struct admin *admin, const struct rd_kafka_metadata **out,
                                  struct err *err)
{
    rd_kafka_poll(admin->rk, 0);
    rd_kafka_resp_err_t code = rd_kafka_metadata(admin->rk, 1, NULL, out, METADATA_MS);
    return code ? admin_down(err, kafka_reason(admin->rk, code)) : OUTCOME_OK;
}

enum outcome admin_cluster(struct admin *admin, int *brokers, int *topics, struct err *err)
{
    const struct rd_kafka_metadata *metadata;
    CHECK(read_metadata(admin, &metadata, err));
    *brokers = metadata->broker_cnt;
    *topics = metadata->topic_cnt;
    rd_kafka_metadata_destroy(metadata);
    return OUTCOME_OK;
}

static void take_partitions(const struct rd_kafka_metadata *metadata, const char *name,
                            struct topic_settings *out)
{
    *out = (struct topic_settings){0};
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        if (strcmp(topic->topic, name) != 0 || topic->err)
            continue;
        out->partitions = topic->partition_cnt;
        out->replicas = topic->partition_cnt ? topic->partitions[0].replica_cnt : 0;
    }
}

static void take_configs(const rd_kafka_ConfigResource_t *resource, struct topic_settings *out)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]),
                   *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (!value)
            continue;
        if (strcmp(name, "retention.ms") == 0)
            out->retention_ms = strtoll(value, NULL, 10);
        else if (strcmp(name, FUTURE_CONFIG) == 0)
            out->future_ms = strtoll(value, NULL, 10);
        else if (strcmp(name, "cleanup.policy") == 0)
            snprintf(out->cleanup, sizeof out->cleanup, "%s", value);
        else if (strcmp(name, "compression.type") == 0)
            snprintf(out->compression, sizeof out->compression, "%s", value);
    }
}

enum outcome admin_await(struct admin *admin, rd_kafka_event_t **out, struct err *err)
{
    *out = rd_kafka_queue_poll(admin->queue, ADMIN_MS + 2000);
    rd_kafka_poll(admin->rk, 0);
    if (!*out)
        return admin_down(err, kafka_reason(admin->rk, RD_KAFKA_RESP_ERR__TIMED_OUT));
    if (!rd_kafka_event_error(*out))
        return OUTCOME_OK;
    bool is_late = rd_kafka_event_error(*out) == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                   rd_kafka_event_error(*out) == RD_KAFKA_RESP_ERR__TRANSPORT;
    admin_down(err, is_late ? kafka_reason(admin->rk, rd_kafka_event_error(*out))
                            : rd_kafka_event_error_string(*out));
    rd_kafka_event_destroy(*out);
    *out = NULL;
    return OUTCOME_RETRY;
}

rd_kafka_AdminOptions_t *admin_options(struct admin *admin, rd_kafka_admin_op_t operation)
{
    char text[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->rk, operation);
    rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, text, sizeof text);
    if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS ||
        operation == RD_KAFKA_ADMIN_OP_CREATEPARTITIONS)
        rd_kafka_AdminOptions_set_operation_timeout(options, ADMIN_MS, text, sizeof text);
    return options;
}

static enum outcome read_configs(struct admin *admin, const char *const *names, size_t count,
                                 struct topic_settings *out, struct err *err)
{
    rd_kafka_ConfigResource_t **wanted = calloc(count + 1, sizeof *wanted);
    size_t n = 0, results = 0;
    if (!wanted)
        abort();
    for (size_t i = 0; i < count; i++)
        if (out[i].partitions > 0)
            wanted[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, names[i]);
    rd_kafka_AdminOptions_t *options = admin_options(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_event_t *event = NULL;
    enum outcome outcome = OUTCOME_OK;
    if (n > 0) {
        rd_kafka_DescribeConfigs(admin->rk, wanted, n, options, admin->queue);
        outcome = admin_await(admin, &event, err);
    }
    const rd_kafka_ConfigResource_t **resources =
        event ? rd_kafka_DescribeConfigs_result_resources(
                    rd_kafka_event_DescribeConfigs_result(event), &results)
              : NULL;
    for (size_t r = 0; r < results; r++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(rd_kafka_ConfigResource_name(resources[r]), names[i]) == 0)
                take_configs(resources[r], &out[i]);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(wanted, n);
    free(wanted);
    return outcome;
}

enum outcome admin_describe(struct admin *admin, const char *const *names, size_t count,
                            struct topic_settings *out, struct err *err)
{
    const struct rd_kafka_metadata *metadata;
    CHECK(read_metadata(admin, &metadata, err));
    for (size_t i = 0; i < count; i++)
        take_partitions(metadata, names[i], &out[i]);
    rd_kafka_metadata_destroy(metadata);
    return read_configs(admin, names, count, out, err);
}

static void set_number(rd_kafka_NewTopic_t *topic, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)number);
    rd_kafka_NewTopic_set_config(topic, name, text);
}

static rd_kafka_NewTopic_t *new_topic(const char *name, const struct topic_settings *settings,
                                      char *text, size_t size)
{
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, settings->partitions, settings->replicas, text, size);
    if (!topic)
        return NULL;
    set_number(topic, "retention.ms", settings->retention_ms);
    if (settings->future_ms > 0)
        set_number(topic, FUTURE_CONFIG, settings->future_ms);
    rd_kafka_NewTopic_set_config(topic, "retention.bytes", "-1");
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", settings->cleanup);
    rd_kafka_NewTopic_set_config(topic, "compression.type", settings->compression);
    rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "CreateTime");
    return topic;
}

static enum outcome take_result(const rd_kafka_topic_result_t **results, size_t count,
                                rd_kafka_resp_err_t fine, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *why = rd_kafka_topic_result_error_string(results[i]);
        if (code && code != fine)
            return err_set(
                err, OUTCOME_FATAL,
                code == RD_KAFKA_RESP_ERR_INVALID_CONFIG ? REFUSED_CONFIG : "kafka_admin", "%s: %s",
                rd_kafka_topic_result_name(results[i]), why ? why : rd_kafka_err2str(code));
    }
    return OUTCOME_OK;
}

static enum outcome create(struct admin *admin, const char *name,
                           const struct topic_settings *settings, struct err *err)
{
    char text[256];
    rd_kafka_NewTopic_t *topic = new_topic(name, settings, text, sizeof text);
    if (!topic)
        return err_set(err, OUTCOME_FATAL, "kafka_admin", "%s: %s", name, text);
    rd_kafka_AdminOptions_t *options = admin_options(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_event_t *event;
    rd_kafka_CreateTopics(admin->rk, &topic, 1, options, admin->queue);
    enum outcome outcome = admin_await(admin, &event, err);
    if (outcome == OUTCOME_OK) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        outcome = take_result(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    return outcome;
}

enum outcome admin_create(struct admin *admin, const char *name,
                          const struct topic_settings *settings, struct err *err)
{
    struct topic_settings without = *settings;
    enum outcome outcome = create(admin, name, settings, err);
    if (outcome != OUTCOME_FATAL || settings->future_ms == 0 ||
        strcmp(err->code, REFUSED_CONFIG) != 0)
        return outcome;
    without.future_ms = 0;
    return create(admin, name, &without, err);
}

enum outcome admin_topic_ends(struct admin *admin, const char *name, int64_t *ends, int32_t count,
                              struct err *err)
{
    for (int32_t p = 0; p < count; p++) {
        int64_t low, high;
        rd_kafka_resp_err_t code =
            rd_kafka_query_watermark_offsets(admin->rk, name, p, &low, &high, METADATA_MS);
        if (code)
            return admin_down(err, kafka_reason(admin->rk, code));
        ends[p] = high > low ? high : 0;
    }
    return OUTCOME_OK;
}

static enum outcome take_deleted(const rd_kafka_event_t *event, struct err *err)
{
    const rd_kafka_topic_partition_list_t *deleted = rd_kafka_DeleteRecords_result_offsets(
        rd_kafka_event_DeleteRecords_result((rd_kafka_event_t *)event));
    for (int i = 0; i < deleted->cnt; i++)
        if (deleted->elems[i].err)
            return err_set(err, OUTCOME_FATAL, "kafka_admin", "records of %s cannot be deleted: %s",
                           deleted->elems[i].topic, rd_kafka_err2str(deleted->elems[i].err));
    return OUTCOME_OK;
}

enum outcome admin_delete_records(struct admin *admin, const char *name, const int64_t *ends,
                                  int32_t count, struct err *err)
{
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(count);
    for (int32_t p = 0; p < count; p++)
        if (ends[p] > 0)
            rd_kafka_topic_partition_list_add(before, name, p)->offset = ends[p];
    if (before->cnt == 0) {
        rd_kafka_topic_partition_list_destroy(before);
        return OUTCOME_OK;
    }
    rd_kafka_DeleteRecords_t *wanted = rd_kafka_DeleteRecords_new(before);
    rd_kafka_AdminOptions_t *options = admin_options(admin, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_event_t *event;
    rd_kafka_DeleteRecords(admin->rk, &wanted, 1, options, admin->queue);
    enum outcome outcome = admin_await(admin, &event, err);
    if (outcome == OUTCOME_OK) {
        outcome = take_deleted(event, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_DeleteRecords_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(before);
    return outcome;
}
