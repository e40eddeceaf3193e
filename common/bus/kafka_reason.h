/* kafka_reason.h: why no broker answers. librdkafka tells its callers only that it timed out or has
 * no connection; what it knows (a wrong password, CA or protocol) it tells the error callback. The
 * last such reason of any client of this process is kept. One thread. */
#ifndef TUTTI_BUS_KAFKA_REASON_H
#define TUTTI_BUS_KAFKA_REASON_H

#include <librdkafka/rdkafka.h>

/* An error callback that only keeps the reason; opaque is not used. */
void kafka_reason_keep(rd_kafka_t *rk, int rc, const char *reason, void *opaque);
/* The reason behind rc: what the client told in the last minute, else the text of rc. Serves the
 * callbacks of rk first, so no message may wait in its queue. Static until the next call. */
const char *kafka_reason(rd_kafka_t *rk, rd_kafka_resp_err_t rc);

#endif
