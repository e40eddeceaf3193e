/* kafka_conf.h: `kafka.*` settings turned into librdkafka configurations, with our defaults and no
 * silent misspelling.
 *
 * `kafka.<name>` goes to both clients, `kafka.consumer.<name>` and `kafka.producer.<name>` override
 * it for one. Names that the protocol depends on (offsets, end-of-partition events, transactions)
 * are refused. */
#ifndef TUTTI_BUS_KAFKA_CONF_H
#define TUTTI_BUS_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "common/base/outcome.h"

struct config;

/* Caller destroys *out, or gives it to rd_kafka_new. FATAL names the setting and, for an unknown
 * one, the nearest. */
enum outcome kafka_conf_consumer(const struct config *config, const char *group,
                                 rd_kafka_conf_t **out, struct err *err);
enum outcome kafka_conf_producer(const struct config *config, rd_kafka_conf_t **out,
                                 struct err *err);

/* Makes a client that knows no broker: FATAL says what librdkafka has against the settings
 * together, such as a file that is missing. Takes conf over; the caller destroys *out. */
enum outcome kafka_conf_try(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out,
                            struct err *err);

/* The number behind a name of conf. */
long kafka_conf_number(const rd_kafka_conf_t *conf, const char *name);
/* Sets a name known to be valid; a failure is a programming error and aborts. */
void kafka_conf_force(rd_kafka_conf_t *conf, const char *name, const char *value);

/* librdkafka's log lines as log events; served by polling, so on the caller's thread. */
void kafka_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);

#endif
