/* dead_letter.h: records that cannot be processed, as messages on <topic>.dlq.
 *
 * A dead letter is keyed "<topic>-<partition>-<offset>", so a repeat is recognised by its key.
 * Value, headers and timestamp are the original's; the original key is in the header
 * tutti.original.key.
 *
 * Added headers: __connect.errors.topic, .partition, .offset, .exception.class.name,
 * .exception.message (no values of the record, but the field at fault) and tutti.error.code. A
 * record that is too large to be produced again goes without its value; tutti.value.omitted then
 * says so. */
#ifndef TUTTI_SERVICE_DEAD_LETTER_H
#define TUTTI_SERVICE_DEAD_LETTER_H

#include "common/bus/consumer.h"
#include "common/bus/producer.h"

struct dead_letters;

/* service and suffix are borrowed. */
struct dead_letters *dead_letters_new(struct producer *producer, const char *service,
                                      const char *suffix);
void dead_letters_free(struct dead_letters *letters);

/* FATAL if an input topic is a dead letter topic by its name. */
enum outcome dead_letters_check_input(const char *name, const char *suffix, struct err *err);
/* Makes sure that the dead letter topic of an input topic exists. FATAL naming `tutti topics` if it
 * does not. FATAL if the input topic is itself a dead letter topic (a regex without $ at its end).
 * RETRY if Kafka does not answer. */
enum outcome dead_letters_topic(struct dead_letters *letters, int topic, const char *name,
                                struct err *err);

/* Queues one dead letter. The caller waits for acknowledgements before it commits. code is a static
 * text; detail may be NULL, it is shown in the log, too. */
enum outcome dead_letters_send(struct dead_letters *letters, const struct record *record,
                               const char *topic_name, const char *code, const char *detail,
                               struct err *err);

#endif
