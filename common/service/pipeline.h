/* pipeline.h: the one loop of every service. Only this loop turns an outcome into skip, retry or
 * stop.
 *
 * A batch is collected until flush.interval after its first record, until batch.max.records, or
 * until no more records are coming for the moment. Then:
 *
 *     decode each -> database there? -> apply -> publish -> acknowledged -> finished
 *         -> dead letters acknowledged -> commit
 *
 * RETRY rolls back, calls `dropped`, waits and runs the same records again, after a few attempts in
 * halves. REJECT from decode marks one record. REJECT from a later step halves the batch until the
 * faulty record is alone. Marked records become dead letters before offsets are committed.
 *
 * The loop stays in its group while it waits for PostgreSQL or Kafka. After a rebalance the batch
 * is finished (effects are idempotent), but the offsets of lost partitions are not committed. A
 * batch that would have to be repeated is given up instead, because its records come again. The
 * service is told of a new assignment between batches. */
#ifndef TUTTI_SERVICE_PIPELINE_H
#define TUTTI_SERVICE_PIPELINE_H

#include "common/service/service.h"

/* group.id, batch.max.records, flush.interval, ... */
extern const struct setting pipeline_settings[];

/* The settings of the input topics, as pipeline_open takes them; no server is asked. FATAL. */
enum outcome pipeline_check(const struct service *service, const struct config *config,
                            struct err *err);

struct pipeline;

/* Joins the group for a service that is open as self. Sets context->consumer. FATAL if a topic or a
 * dead letter topic is missing; RETRY while Kafka does not answer. */
enum outcome pipeline_open(const struct service *service, void *self,
                           struct service_context *context, struct pipeline **out, struct err *err);
/* Runs until a stop is requested (OK) or something is fatal (FATAL). */
enum outcome pipeline_run(struct pipeline *pipeline, struct err *err);
/* Leaves the group. */
void pipeline_close(struct pipeline *pipeline);

#endif
