/* obey.h: the closed loop of `tutti generate --obey`: a made-up company that asks before it sends,
 * and sends what was granted. */
#ifndef TUTTI_CLI_KAFKA_OBEY_H
#define TUTTI_CLI_KAFKA_OBEY_H

#include "cli/command.h"
#include "cli/kafka/outlet.h"
#include "data/generator.h"

struct obey;

/* topic: that of all touchpoints; NULL: those of topics.input. prefix stands before the names of
 * the consumer groups of identity-resolver and suppression. */
enum outcome obey_open(const struct call *call, const char *topic, const char *prefix,
                       const struct outlet *outlet, struct obey **out, struct err *err);
void obey_close(struct obey *obey);

/* Keeps a touchpoint for its turn. Everything is copied. */
void obey_add(struct obey *obey, const struct generated *item, struct span key, struct span value);

struct obey_counts {
    uint64_t sent, requests, granted, obeyed, withheld, sins;
};

/* Sends everything in turns. What people who share a device live through goes strictly one after
 * the other: before and after each request the services have read everything, so the verdicts do
 * not depend on speed. RETRY "obey_timeout" if the services do not read for a minute. */
enum outcome obey_run(struct obey *obey, struct obey_counts *counts, struct err *err);

#endif
