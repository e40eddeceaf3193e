/* kafka_topics.c: the metadata of all topics is asked for, because asking for one by name may
 * create it. */
#include "common/bus/kafka_topics.h"

#include <string.h>

#include "common/bus/kafka_reason.h"

enum { METADATA_TIMEOUT_MS = 5000 };

static const struct rd_kafka_metadata_topic *find_topic(const struct rd_kafka_metadata *metadata,
                                                        const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, name) == 0)
            return &metadata->topics[i];
    }
    return NULL;
}

enum outcome kafka_topic_partitions(rd_kafka_t *rk, const char *name, int32_t *count,
                                    struct err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t rc = rd_kafka_metadata(rk, 1, NULL, &metadata, METADATA_TIMEOUT_MS);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, OUTCOME_RETRY, "kafka_down", "no Kafka broker answers: %s",
                       kafka_reason(rk, rc));
    const struct rd_kafka_metadata_topic *topic = find_topic(metadata, name);
    enum outcome outcome = OUTCOME_OK;
    if (!topic || topic->partition_cnt == 0)
        outcome = err_set(err, OUTCOME_FATAL, "topic_missing",
                          "topic %s does not exist; create it with `tutti topics`", name);
    else
        *count = topic->partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return outcome;
}
