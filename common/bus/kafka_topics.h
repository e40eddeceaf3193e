/* kafka_topics.h: asks the broker which topics exist, without ever creating one. */
#ifndef TUTTI_BUS_KAFKA_TOPICS_H
#define TUTTI_BUS_KAFKA_TOPICS_H

#include <librdkafka/rdkafka.h>

#include "common/base/outcome.h"

/* FATAL naming `tutti topics` if the topic does not exist; RETRY "kafka_down" if no broker answers
 * within 5 s. */
enum outcome kafka_topic_partitions(rd_kafka_t *rk, const char *name, int32_t *count,
                                    struct err *err);

#endif
