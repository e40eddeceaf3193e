/* parked.h: records that wait for their schema.
 *
 * While a registry cannot give one schema, records of that schema become dead letters with the code
 * schema_unavailable, so that everything else goes on. They come back by themselves: in rounds,
 * such letters are sent once more to the topic that they came from. What is still refused becomes a
 * dead letter again. Reading a record twice changes nothing.
 *
 * The letters are read by a consumer group of their own, <group>.parked. */
#ifndef TUTTI_SERVICE_PARKED_H
#define TUTTI_SERVICE_PARKED_H

#include "common/bus/consumer.h"
#include "common/bus/producer.h"

struct parked;

/* topics: names and patterns of the input topics, NULL-ended; group: that of their reader. What is
 * given is borrowed. */
enum outcome parked_open(const struct config *config, struct producer *producer, const char *group,
                         const char *const *topics, const char *suffix, struct parked **out,
                         struct err *err);
void parked_close(struct parked *parked);

/* Keeps the membership alive, and sends what is due. RETRY: later, nothing is lost. */
enum outcome parked_serve(struct parked *parked, struct err *err);

#endif
