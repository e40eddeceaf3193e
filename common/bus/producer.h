/* producer.h: idempotent, lz4, never drops: queue-full polls, message.timeout.ms=0 with a stall
 * alarm. librdkafka ends here. */
#ifndef TUTTI_BUS_PRODUCER_H
#define TUTTI_BUS_PRODUCER_H

#include "common/base/outcome.h"
#include "common/base/span.h"

struct config;
struct producer;
struct record;

struct header {
    const char *name;
    struct span value;
};

enum outcome producer_open(const struct config *config, struct producer **out, struct err *err);
/* Checks kafka.* and kafka.producer.* without a broker: FATAL as in producer_open. */
enum outcome producer_check_config(const struct config *config, struct err *err);
/* Goes deeper, still without a broker: a client is made. */
enum outcome producer_check_start(const struct config *config, struct err *err);
void producer_close(struct producer *producer); /* waits up to 5 s for what is in flight */

/* Index of a topic for producer_send. FATAL if it does not exist at the broker (names `tutti
 * topics`). */
enum outcome producer_topic(struct producer *producer, const char *name, int *topic,
                            int32_t *partition_count, struct err *err);

/* Queues one message (bytes are copied). partition -1 = murmur2 of the key as Java's default
 * partitioner does. Blocks while the queue is full (RETRY "produce_queue_full" after 60 s); REJECT
 * "message_too_large". Record timestamp is the wall clock. */
enum outcome producer_send(struct producer *producer, int topic, int32_t partition, struct span key,
                           struct span value, const struct header *headers, size_t header_count,
                           struct err *err);
/* The same without headers, with the record's timestamp; 0: the wall clock. */
enum outcome producer_send_at(struct producer *producer, int topic, struct span key,
                              struct span value, int64_t timestamp_ms, struct err *err);
/* Same record to another topic: original key, value, headers and timestamp, plus extra headers
 * (dead letters). */
enum outcome producer_forward(struct producer *producer, int topic, struct span key,
                              const struct record *original, const struct header *extra,
                              size_t extra_count, struct err *err);

/* The record once more, to the topic that it came from first: original value and timestamp, and its
 * headers without those whose names begin with one of `without` (NULL-ended). */
enum outcome producer_return(struct producer *producer, int topic, struct span key,
                             const struct record *original, const char *const *without,
                             struct err *err);

/* Waits until everything that was sent is acknowledged. OK only if all of it was. RETRY
 * otherwise: the caller publishes again from its last acknowledged point, and a fatal producer
 * has been replaced.
 *
 * RETRY "produce_stalled" after timeout_ms without progress. Calling this again waits on for the
 * same messages. Sending again drops them first, so an outage does not pile up repeats.
 *
 * Calls `while_waiting` (may be NULL) every 100 ms, for heartbeats. */
enum outcome producer_wait(struct producer *producer, int timeout_ms, void (*while_waiting)(void *),
                           void *arg, struct err *err);

#endif
