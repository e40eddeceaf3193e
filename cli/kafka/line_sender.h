/* line_sender.h: JSON lines from a stream to Kafka: a bad line is reported with its number, the
 * rest goes on. */
#ifndef TUTTI_CLI_KAFKA_LINE_SENDER_H
#define TUTTI_CLI_KAFKA_LINE_SENDER_H

#include <stdio.h>

#include "cli/kafka/outlet.h"
#include "cli/progress.h"
#include "common/codec/avro/avro_shape.h"
#include "operations/touchpoint_check.h"

struct line_sender {
    struct outlet outlet;
    const struct avro_shape *shape;       /* of the writer's schema */
    const struct touchpoint_check *check; /* a line that fails it is bad; NULL: none is asked */
    int32_t schema_id;
    enum record_key key;
    struct progress progress;
    uint64_t sent, bad;
};

/* Sends every line of the stream; empty lines are skipped. Bad lines are counted in bad and no
 * failure. */
enum outcome line_sender_run(struct line_sender *sender, FILE *in, struct err *err);

#endif
