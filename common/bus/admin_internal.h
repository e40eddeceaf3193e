/* admin_internal.h: one request to the broker and its one answer; only the admin*.c files include
 * it.
 */
#ifndef TUTTI_BUS_ADMIN_INTERNAL_H
#define TUTTI_BUS_ADMIN_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "common/bus/admin.h"

struct admin {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
};

/* RETRY "kafka_down". */
enum outcome admin_down(struct err *err, const char *why);
rd_kafka_AdminOptions_t *admin_options(struct admin *admin, rd_kafka_admin_op_t operation);
/* Waits for the one answer of an admin request. */
enum outcome admin_await(struct admin *admin, rd_kafka_event_t **out, struct err *err);

#endif
