/* consumer.h: a consumer of a group that owns its assignment. When it is behind, it hands out
 * records in the order of their timestamps. It commits offsets only for what was handed out and
 * done. librdkafka ends here.
 *
 * Messages are polled one by one (never consume_batch) from one queue per partition. Fixed
 * settings: range,roundrobin, manual commits, auto.offset.reset=earliest, check.crcs=true.
 * kafka.consumer.queued.min.messages and .queued.max.messages.kbytes bound what the whole
 * consumer buffers.
 *
 * The buffers of the partitions are merged by record timestamp. A partition at its end is not
 * waited for. A partition that has data at the broker and none in its buffer is waited for, so
 * that the order holds. After 500 ms in total the merge goes on without it until it delivers. */
#ifndef TUTTI_BUS_CONSUMER_H
#define TUTTI_BUS_CONSUMER_H

#include "common/base/arena.h"
#include "common/base/outcome.h"

struct config;
struct consumer;

struct record {
    /* index into the topics given at open, or into consumer_topic_name for regex subscriptions */
    int topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;   /* wall clock at produce; -1 if none */
    struct span key, value; /* SPAN_NONE if null; valid until consumer_release */
    void *handle; /* the message, for record_header and dead letters; NULL: it came another way */
};

struct consumer_events {
    void *arg;
    /* Called inside consumer_take with the COMPLETE new assignment (topic index, partition), after
     * the old one is void (an empty one when everything was revoked). What was handed out and not
     * committed will be handed out again: the service drops its unfinished batch. */
    void (*assigned)(void *arg, const int *topics, const int32_t *partitions, size_t count);
    /* Whether a topic may be read, asked before anything of it is fetched. The partitions of one
     * that may not stay unread and are not announced; it is asked about again every half minute.
     * NULL: every topic may. */
    bool (*may_read)(void *arg, int topic);
};

/* topics: NULL-ended names; a name starting with ^ is a regex. A missing topic is OUTCOME_FATAL
 * naming `tutti topics`, unless the regex matches later. config gives kafka.* and kafka.consumer.*;
 * an unknown key is FATAL with the nearest name. */
enum outcome consumer_open(const struct config *config, const char *group,
                           const char *const *topics, const struct consumer_events *events,
                           struct consumer **out, struct err *err);
/* Checks kafka.* and kafka.consumer.* without a broker: FATAL as in consumer_open. */
enum outcome consumer_check_config(const struct config *config, struct err *err);
/* Goes deeper, still without a broker: a client is made, and the patterns of topics are read. */
enum outcome consumer_check_start(const struct config *config, const char *const *topics,
                                  struct err *err);
/* Leaves the group, bounded to 10 s. */
void consumer_close(struct consumer *consumer);

/* Waits up to timeout_ms for records and fills records (room for max), until their keys and values
 * have max_bytes together: the last one may pass that bound. Returns how many. *caught_up is set if
 * no assigned partition has more to read at the moment. Serves callbacks and heartbeats (call at
 * least every second). Broker errors are logged and counted; only a fatal one gives OUTCOME_FATAL
 * in err->outcome (else OUTCOME_OK). */
size_t consumer_take(struct consumer *consumer, struct record *records, size_t max,
                     size_t max_bytes, int timeout_ms, bool *caught_up, struct err *err);
/* What a record holds of that bound. */
static inline size_t record_size(const struct record *record)
{
    return record->key.len + record->value.len;
}

/* The messages behind records: free them when the batch is done or dropped. */
void consumer_release(struct consumer *consumer, struct record *records, size_t count);

/* Commits next offsets of everything handed out so far (synchronous, bounded 5 s). Skipped when the
 * assignment was lost. A failure is logged and counted only: correctness never depends on an
 * offset. */
void consumer_commit(struct consumer *consumer);

bool record_header(const struct record *record, const char *name, struct span *value);
/* Bytes of all names and values of headers. */
size_t record_headers_size(const struct record *record);
const char *consumer_topic_name(const struct consumer *consumer, int topic);
/* The epoch of the assignment: grows with every rebalance. */
int64_t consumer_epoch(const struct consumer *consumer);
/* True while the group has given an assignment (an empty one counts), a broker answers, and no
 * partition was without its records, or could not be asked for, for a minute: readiness. */
bool consumer_is_joined(const struct consumer *consumer);
/* kafka.max.poll.interval.ms: how long the group waits for a silent member. */
int64_t consumer_max_poll_interval_us(const struct consumer *consumer);

#endif
