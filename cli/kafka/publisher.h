/* publisher.h: framed touchpoints to Kafka for the commands that write: topic by name or by
 * channel, record key, dry run. */
#ifndef TUTTI_CLI_KAFKA_PUBLISHER_H
#define TUTTI_CLI_KAFKA_PUBLISHER_H

#include "cli/command.h"

enum record_key { KEY_IDENTIFIER, KEY_MESSAGE_ID, KEY_NONE };

struct publisher;

/* topic NULL: by channel, touchpoints.<channel>.v1, and touchpoints.other.v1 where there is no such
 * topic. dry_run: nothing is sent, no broker is asked. */
enum outcome publisher_open(const struct call *call, const char *topic, bool dry_run,
                            struct publisher **out, struct err *err);
void publisher_close(struct publisher *publisher);

/* key SPAN_NONE: none, partitions at random. Blocks while the queue is full. */
enum outcome publisher_send(struct publisher *publisher, struct span channel, struct span key,
                            struct span value, struct err *err);

/* Waits until the brokers have acknowledged everything. */
enum outcome publisher_finish(struct publisher *publisher, struct err *err);

/* The option --key; false and a message if it is none of the three words. */
bool publisher_key_option(const struct call *call, enum record_key *out);

#endif
