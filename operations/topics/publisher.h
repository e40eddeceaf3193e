/* publisher.h: framed touchpoints to Kafka, to one topic or by their channel. */
#ifndef TUTTI_OPERATIONS_TOPICS_PUBLISHER_H
#define TUTTI_OPERATIONS_TOPICS_PUBLISHER_H

#include "common/bus/producer.h"

struct publisher;

/* producer stays the caller's; NULL: a dry run, nothing is sent. topic NULL: by channel,
 * touchpoints.<channel>.v1, and touchpoints.other.v1 where there is no such topic. */
enum outcome publisher_open(struct producer *producer, const char *topic, struct publisher **out,
                            struct err *err);
void publisher_close(struct publisher *publisher);

/* key SPAN_NONE: none, partitions at random. timestamp_ms of the record, 0: the wall clock. Blocks
 * while the queue is full. */
enum outcome publisher_send(struct publisher *publisher, struct span channel, struct span key,
                            struct span value, int64_t timestamp_ms, struct err *err);

/* Waits until the brokers have acknowledged everything; RETRY after timeout_ms without progress. */
enum outcome publisher_finish(struct publisher *publisher, int timeout_ms, struct err *err);

#endif
