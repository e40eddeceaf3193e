/* reader.c: see reader.h. */
#include "common/bus/reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/bus/kafka_conf.h"
#include "common/bus/kafka_topics.h"

struct reader {
    rd_kafka_t *rk;
    rd_kafka_message_t *message;
    rd_kafka_headers_t *headers; /* of message; owned by it */
    int32_t first, count;        /* partitions */
    bool *ended;
};

static enum outcome open_client(const struct config *config, struct reader *reader, struct err *err)
{
    rd_kafka_conf_t *conf;
    char text[256];
    CHECK(kafka_conf_consumer(config, "tutti-cat", &conf, err));
    rd_kafka_conf_set_log_cb(conf, kafka_log);
    reader->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!reader->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, OUTCOME_FATAL, "config_invalid", "Kafka: %s", text);
    }
    rd_kafka_set_log_queue(reader->rk, NULL);
    rd_kafka_poll_set_consumer(reader->rk);
    return OUTCOME_OK;
}

static enum outcome assign(struct reader *reader, const char *topic, int64_t from, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(reader->count);
    for (int32_t i = 0; i < reader->count; i++)
        rd_kafka_topic_partition_list_add(list, topic, reader->first + i)->offset =
            from == READER_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING
            : from == READER_END     ? RD_KAFKA_OFFSET_END
                                     : from;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? err_set(err, OUTCOME_FATAL, "kafka_assign", "%s: %s", topic,
                          rd_kafka_err2str(code))
                : OUTCOME_OK;
}

static enum outcome choose_partitions(struct reader *reader, const char *topic, int32_t partition,
                                      struct err *err)
{
    int32_t count;
    CHECK(kafka_topic_partitions(reader->rk, topic, &count, err));
    if (partition >= count)
        return err_set(err, OUTCOME_FATAL, "kafka_partition", "%s has no partition %d", topic,
                       partition);
    reader->first = partition < 0 ? 0 : partition;
    reader->count = partition < 0 ? count : 1;
    reader->ended = calloc((size_t)reader->count, sizeof *reader->ended);
    if (!reader->ended)
        abort();
    return OUTCOME_OK;
}

static enum outcome start(const struct config *config, const char *topic, int32_t partition,
                          int64_t from, struct reader *reader, struct err *err)
{
    CHECK(open_client(config, reader, err));
    CHECK(choose_partitions(reader, topic, partition, err));
    return assign(reader, topic, from, err);
}

enum outcome reader_open(const struct config *config, const char *topic, int32_t partition,
                         int64_t from, struct reader **out, struct err *err)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        abort();
    enum outcome outcome = start(config, topic, partition, from, reader, err);
    if (outcome == OUTCOME_OK)
        *out = reader;
    else
        reader_close(reader);
    return outcome;
}

static void drop_message(struct reader *reader)
{
    if (reader->message)
        rd_kafka_message_destroy(reader->message);
    reader->message = NULL;
    reader->headers = NULL;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    drop_message(reader);
    if (reader->rk) {
        rd_kafka_consumer_close(reader->rk);
        rd_kafka_destroy(reader->rk);
    }
    free(reader->ended);
    free(reader);
}

static bool all_ended(const struct reader *reader)
{
    for (int32_t i = 0; i < reader->count; i++)
        if (!reader->ended[i])
            return false;
    return true;
}

static void take_event(struct reader *reader, struct err *err)
{
    const rd_kafka_message_t *message = reader->message;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        reader->ended[message->partition - reader->first] = true;
    else if (message->err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN &&
             message->err != RD_KAFKA_RESP_ERR__TRANSPORT)
        err_set(err, OUTCOME_FATAL, "kafka_read", "%s", rd_kafka_message_errstr(message));
}

bool reader_next(struct reader *reader, int timeout_ms, struct record *record, bool *at_end,
                 struct err *err)
{
    drop_message(reader);
    reader->message = rd_kafka_consumer_poll(reader->rk, timeout_ms);
    *at_end = false;
    if (!reader->message || reader->message->err) {
        if (reader->message)
            take_event(reader, err);
        *at_end = all_ended(reader);
        return false;
    }
    const rd_kafka_message_t *m = reader->message;
    rd_kafka_message_headers(m, &reader->headers);
    reader->ended[m->partition - reader->first] = false;
    *record = (struct record){
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
        .key = {m->key, m->key_len},
        .value = {m->payload, m->len},
        .handle = reader->message,
    };
    return true;
}

bool reader_header(const struct reader *reader, size_t index, struct header *header)
{
    const void *value;
    size_t size;
    if (!reader->headers ||
        rd_kafka_header_get_all(reader->headers, index, &header->name, &value, &size))
        return false;
    header->value = (struct span){value, size};
    return true;
}
