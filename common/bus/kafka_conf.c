/* kafka_conf.c: builds librdkafka configurations from the pass-through settings; see kafka_conf.h.
 */
#include "common/bus/kafka_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/bus/kafka_reason.h"
#include "common/runtime/config.h"
#include "common/runtime/log.h"

/* Of syslog.h, whose macros collide with ours. */
enum { SYSLOG_ERROR = 3, SYSLOG_WARNING = 4 };

struct pair {
    const char *name, *value;
};

static const struct pair common_defaults[] = {
    {"client.id", "tutti"},
    {"log.queue", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.refresh.interval.ms", "60000"},
    {NULL, NULL},
};

/* queued.* count for the whole consumer, as librdkafka documents them; consumer.c divides them over
 * its own buffers. A short fetch.wait bounds how long a request that waits for quiet partitions
 * keeps the busy ones from being asked for; it must stay well below the time that the merge waits.
 * The partition limit bounds what one request adds to a partition whose records are not next in
 * time. */
static const struct pair consumer_defaults[] = {
    {"auto.offset.reset", "earliest"},
    {"partition.assignment.strategy", "range,roundrobin"},
    {"check.crcs", "true"},
    {"session.timeout.ms", "15000"},
    {"queued.min.messages", "200000"},
    {"queued.max.messages.kbytes", "65536"},
    {"fetch.wait.max.ms", "50"},
    {"fetch.error.backoff.ms", "100"},
    {"max.partition.fetch.bytes", "262144"},
    {NULL, NULL},
};

static const struct pair consumer_fixed[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {NULL, NULL},
};

static const struct pair producer_defaults[] = {
    {"enable.idempotence", "true"},
    {"compression.type", "lz4"},
    {"linger.ms", "20"},
    {"batch.size", "1000000"},
    {"batch.num.messages", "20000"},
    {"message.timeout.ms", "0"},
    {"partitioner", "murmur2_random"},
    {"queue.buffering.max.messages", "1000000"},
    {"queue.buffering.max.kbytes", "524288"},
    {NULL, NULL},
};

static const struct pair producer_fixed[] = {
    {"delivery.report.only.error", "true"},
    {NULL, NULL},
};

/* Settings that would break the protocol, with what to do instead. */
static const struct pair refused[] = {
    {"group.id", "use group.id"},
    {"enable.auto.commit", "offsets are committed after the effects, always"},
    {"enable.auto.offset.store", "offsets are committed after the effects, always"},
    {"auto.commit.enable", "offsets are committed after the effects, always"},
    {"enable.partition.eof", "the consumer needs it"},
    {"delivery.report.only.error", "the producer needs it"},
    {"transactional.id", "delivery is at least once, and every effect is idempotent"},
    {"log.queue", "log lines are served by the loop"},
    {NULL, NULL},
};

/* Settings with few values that keep every promise, and why the others do not. */
static const struct demand {
    const char *name, *values, *reason;
} demands[] = {
    {"isolation.level", "read_committed",
     "records that their producer took back would count, and could never be taken out"},
    {"auto.offset.reset", "earliest|beginning|smallest",
     "records that were never read would be skipped"},
    {"enable.idempotence", "true", "messages would come twice or in another order"},
    {NULL, NULL, NULL},
};

struct target {
    rd_kafka_conf_t *conf;
    const char *prefix; /* as the user wrote it, for messages */
};

static const char *find(const struct pair *list, const char *name)
{
    for (; list->name; list++) {
        if (strcmp(list->name, name) == 0)
            return list->value;
    }
    return NULL;
}

/* The nearest of librdkafka's names, "" if none is near. Only its printed table also has the
 * aliases, such as linger.ms. */
static void nearest_name(const char *wanted, char best[64])
{
    char *table = NULL, *rest = NULL;
    size_t size = 0;
    struct nearest nearest = nearest_start(span_of(wanted), 4);
    FILE *file = open_memstream(&table, &size);
    best[0] = 0;
    if (!file)
        return;
    rd_kafka_conf_properties_show(file);
    fclose(file);
    for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct span name = {line, strcspn(line, " |")};
        if (name.len > 0 && name.len < 64)
            nearest_consider(&nearest, name);
    }
    if (nearest.name.ptr)
        snprintf(best, 64, SPAN_FMT, SPAN_ARG(nearest.name));
    free(table);
}

static enum outcome set_unknown(const struct target *target, const char *name, struct err *err)
{
    char best[64];
    nearest_name(name, best);
    if (best[0])
        return err_set(err, OUTCOME_FATAL, "config_unknown",
                       "unknown setting %s%s; did you mean %s%s?", target->prefix, name,
                       target->prefix, best);
    return err_set(err, OUTCOME_FATAL, "config_unknown",
                   "unknown setting %s%s: librdkafka has no such name", target->prefix, name);
}

static bool is_one_of(const char *values, const char *value)
{
    for (size_t n; *values; values += n + (values[n] == '|')) {
        n = strcspn(values, "|");
        if (strlen(value) == n && memcmp(values, value, n) == 0)
            return true;
    }
    return false;
}

static enum outcome meet_demand(const struct target *target, const char *name, const char *value,
                                struct err *err)
{
    for (const struct demand *demand = demands; demand->name; demand++)
        if (strcmp(demand->name, name) == 0 && !is_one_of(demand->values, value))
            return err_set(err, OUTCOME_FATAL, "config_refused", "%s%s = %s is refused: %s",
                           target->prefix, name, value, demand->reason);
    return OUTCOME_OK;
}

static enum outcome set_one(void *arg, const char *name, const char *value, struct err *err)
{
    const struct target *target = arg;
    char text[256];
    const char *reason = find(refused, name);
    if (reason)
        return err_set(err, OUTCOME_FATAL, "config_refused", "%s%s cannot be set: %s",
                       target->prefix, name, reason);
    CHECK(meet_demand(target, name, value, err));
    switch (rd_kafka_conf_set(target->conf, name, value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return OUTCOME_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return set_unknown(target, name, err);
    default:
        return err_set(err, OUTCOME_FATAL, "config_invalid", "%s%s: %s", target->prefix, name,
                       text);
    }
}

/* `kafka.` also holds the names of one client only; those are visited on their own. */
static enum outcome set_common(void *arg, const char *name, const char *value, struct err *err)
{
    if (strncmp(name, "consumer.", 9) == 0 || strncmp(name, "producer.", 9) == 0)
        return OUTCOME_OK;
    return set_one(arg, name, value, err);
}

void kafka_conf_force(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "librdkafka refuses %s=%s: %s\n", name, value, text);
        abort();
    }
}

static void force_all(rd_kafka_conf_t *conf, const struct pair *list)
{
    for (; list->name; list++)
        kafka_conf_force(conf, list->name, list->value);
}

static enum outcome require_brokers(const rd_kafka_conf_t *conf, struct err *err)
{
    size_t size = 0;
    if (rd_kafka_conf_get(conf, "bootstrap.servers", NULL, &size) == RD_KAFKA_CONF_OK && size > 1)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "config_missing",
                   "kafka.bootstrap.servers is not set (for example 127.0.0.1:9092)");
}

/* What the settings say, over the defaults. */
static enum outcome apply_settings(const struct config *config, const char *prefix,
                                   rd_kafka_conf_t *conf, struct err *err)
{
    struct target common = {conf, "kafka."}, own = {conf, prefix};
    CHECK(config_visit(config, "kafka.", set_common, &common, err));
    CHECK(config_visit(config, prefix, set_one, &own, err));
    return require_brokers(conf, err);
}

static enum outcome build(const struct config *config, const char *prefix,
                          const struct pair *defaults, const struct pair *fixed,
                          rd_kafka_conf_t **out, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    force_all(conf, common_defaults);
    force_all(conf, defaults);
    enum outcome outcome = apply_settings(config, prefix, conf, err);
    if (outcome != OUTCOME_OK) {
        rd_kafka_conf_destroy(conf);
        return outcome;
    }
    force_all(conf, fixed);
    rd_kafka_conf_set_log_cb(conf, kafka_log);
    rd_kafka_conf_set_error_cb(conf, kafka_reason_keep);
    *out = conf;
    return OUTCOME_OK;
}

enum outcome kafka_conf_consumer(const struct config *config, const char *group,
                                 rd_kafka_conf_t **out, struct err *err)
{
    CHECK(build(config, "kafka.consumer.", consumer_defaults, consumer_fixed, out, err));
    kafka_conf_force(*out, "group.id", group);
    return OUTCOME_OK;
}

enum outcome kafka_conf_producer(const struct config *config, rd_kafka_conf_t **out,
                                 struct err *err)
{
    return build(config, "kafka.producer.", producer_defaults, producer_fixed, out, err);
}

enum outcome kafka_conf_try(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out,
                            struct err *err)
{
    char text[256];
    rd_kafka_conf_set(conf, "bootstrap.servers", NULL, text, sizeof text);
    rd_kafka_conf_set_log_cb(conf, NULL);
    *out = rd_kafka_new(type, conf, text, sizeof text);
    if (*out)
        return OUTCOME_OK;
    rd_kafka_conf_destroy(conf);
    return err_set(err, OUTCOME_FATAL, "config_invalid", "Kafka %s: %s",
                   type == RD_KAFKA_CONSUMER ? "consumer" : "producer", text);
}

long kafka_conf_number(const rd_kafka_conf_t *conf, const char *name)
{
    char text[64];
    size_t size = sizeof text;
    if (rd_kafka_conf_get(conf, name, text, &size) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "librdkafka has no setting %s\n", name);
        abort();
    }
    return strtol(text, NULL, 10);
}

void kafka_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    bool is_told = strcmp(facility, "FAIL") == 0; /* the error callback gets the same text */
    enum log_level mapped = is_told                   ? LOG_DEBUG
                            : level <= SYSLOG_ERROR   ? LOG_ERROR
                            : level == SYSLOG_WARNING ? LOG_WARN
                                                      : LOG_DEBUG;
    log_event(mapped, "kafka_client", "facility", facility, "message", text, NULL);
}
