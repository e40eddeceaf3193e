/* admin.h: looks at topics and consumer groups, creates topics, and sets groups back. librdkafka
 * ends here. */
#ifndef TUTTI_BUS_ADMIN_H
#define TUTTI_BUS_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/outcome.h"

struct config;
struct admin;

struct topic_settings {
    int32_t partitions;   /* 0: the topic does not exist */
    int32_t replicas;     /* of the first partition; for a new topic -1 = the broker's default */
    int64_t retention_ms; /* -1: for ever */
    char cleanup[32];     /* "delete", "compact", "compact,delete" */
    char compression[16]; /* "producer": as the producer compressed it */
    int64_t future_ms;    /* message.timestamp.after.max.ms; 0: the broker does not know it, or for
                             a new topic: its default */
};

/* config gives kafka.* (kafka.producer.* too). FATAL on a bad setting; does not connect yet. */
enum outcome admin_open(const struct config *config, struct admin **out, struct err *err);
void admin_close(struct admin *admin);

/* Number of brokers and of all topics, within 5 s; RETRY "kafka_down" otherwise. */
enum outcome admin_cluster(struct admin *admin, int *brokers, int *topics, struct err *err);

/* What the topics are set to; a missing one has partitions 0. RETRY "kafka_down" if no broker
 * answers within 10 s. */
enum outcome admin_describe(struct admin *admin, const char *const *names, size_t count,
                            struct topic_settings *out, struct err *err);

/* Creates a topic; OK also if it exists by now. A broker before Kafka 3.6 does not know future_ms:
 * the topic is created without it. */
enum outcome admin_create(struct admin *admin, const char *name,
                          const struct topic_settings *settings, struct err *err);

/* The end of each of the topic's partitions now, 0 for one without records; count from
 * admin_describe. RETRY "kafka_down". */
enum outcome admin_topic_ends(struct admin *admin, const char *name, int64_t *ends, int32_t count,
                              struct err *err);

/* Removes the records before these ends (0: none of that partition), for every reader. FATAL
 * "kafka_admin" where the broker refuses. */
enum outcome admin_delete_records(struct admin *admin, const char *name, const int64_t *ends,
                                  int32_t count, struct err *err);

/* The offsets that a consumer group has committed, -1: none of that partition. RETRY "kafka_down".
 */
enum outcome admin_group_offsets(struct admin *admin, const char *group, const char *topic,
                                 int64_t *offsets, int32_t count, struct err *err);
/* Sets the offsets of a group without members. RETRY "group_busy" while it has one: what that has
 * done may still move them on. */
enum outcome admin_group_alter(struct admin *admin, const char *group, const char *topic,
                               const int64_t *offsets, int32_t count, struct err *err);

/* Records before these ends that the consumer group has not committed yet; all of them if it never
 * did. RETRY "kafka_down". */
enum outcome admin_group_behind(struct admin *admin, const char *group, const char *topic,
                                const int64_t *ends, int32_t count, int64_t *behind,
                                struct err *err);

#endif
