/* kafka_reason.c: see kafka_reason.h. */
#include "common/bus/kafka_reason.h"

#include <stdbool.h>
#include <stdio.h>

#include "common/runtime/clock.h"

enum { KEPT_US = 60000000 };

static struct {
    char text[200];
    int64_t at_us;
    bool is_refusal;
} kept;

static bool is_refusal(int rc)
{
    return rc == RD_KAFKA_RESP_ERR__AUTHENTICATION || rc == RD_KAFKA_RESP_ERR__SSL;
}

static bool is_fresh(void)
{
    return kept.at_us > 0 && clock_monotonic_us() - kept.at_us < KEPT_US;
}

/* That all brokers are down is no reason, and a lost connection says less than a refusal. */
void kafka_reason_keep(rd_kafka_t *rk, int rc, const char *reason, void *opaque)
{
    (void)rk, (void)opaque;
    if (rc == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        (is_fresh() && kept.is_refusal && !is_refusal(rc)))
        return;
    snprintf(kept.text, sizeof kept.text, "%s", reason);
    kept.is_refusal = is_refusal(rc);
    kept.at_us = clock_monotonic_us();
}

const char *kafka_reason(rd_kafka_t *rk, rd_kafka_resp_err_t rc)
{
    if (rd_kafka_type(rk) == RD_KAFKA_PRODUCER)
        rd_kafka_poll(rk, 0);
    else
        for (rd_kafka_message_t *error; (error = rd_kafka_consumer_poll(rk, 0));)
            rd_kafka_message_destroy(error);
    return is_fresh() ? kept.text : rd_kafka_err2str(rc);
}
