/* reader.h: reads one topic from a place to its end or for ever, without a group: for people, not
 * for services. */
#ifndef TUTTI_BUS_READER_H
#define TUTTI_BUS_READER_H

#include "common/bus/consumer.h"
#include "common/bus/producer.h"

struct reader;

enum { READER_BEGINNING = -2, READER_END = -1 }; /* else an offset, the same in every partition */

/* FATAL if the topic does not exist; RETRY "kafka_down". partition -1: all. */
enum outcome reader_open(const struct config *config, const char *topic, int32_t partition,
                         int64_t from, struct reader **out, struct err *err);
void reader_close(struct reader *reader);

/* The next record, within timeout_ms: true and *record, valid until the next call. False: nothing
 * yet, or (*at_end) every partition was read up to its end. Broker errors that pass are logged;
 * others give OUTCOME_FATAL in err->outcome. */
bool reader_next(struct reader *reader, int timeout_ms, struct record *record, bool *at_end,
                 struct err *err);

/* Headers of the record that was handed out last; false beyond the end. */
bool reader_header(const struct reader *reader, size_t index, struct header *header);

#endif
