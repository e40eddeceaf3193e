/* decider.h: from a contact request to its verdict in one process: the steps of identity-resolver
 * and of suppression, one behind the other, without Kafka between them.
 *
 * It calls what the pipeline calls (service.h), so nothing means anything else here: ids, locks,
 * rules, generations and erasures are those of the services. A request that also comes through
 * Kafka is decided by whoever is first, and the other finds the verdict there. */
#ifndef TUTTI_OPERATIONS_CONTACT_DECIDER_H
#define TUTTI_OPERATIONS_CONTACT_DECIDER_H

#include "common/bus/consumer.h"
#include "common/bus/producer.h"
#include "common/codec/schema/schema_set.h"
#include "common/runtime/config.h"
#include "services/suppression/suppression_claim.h"
#include "services/suppression/suppression_preferred.h"
#include "services/suppression/suppression_store.h"

/* decider.identity.database.url, decider.suppression.database.url: the two roles */
extern const struct setting decider_settings[];
struct decider;

struct decider_options {
    const struct config *config; /* with all settings of both services */
    const char *application_name;
    /* Where decisions and identity changes go; NULL: a dry run. Every transaction is then rolled
     * back, and nothing is sent. */
    struct producer *producer;
};

/* Connects, and reads policies and keys. RETRY while the database is away: call it again. */
enum outcome decider_open(const struct decider_options *options, struct decider **out,
                          struct err *err);
void decider_close(struct decider *decider); /* NULL is fine */

/* The answer to one request. */
struct decided {
    struct id request_id;
    /* Why there is no verdict: what the dead letter would say, or that the customer was erased; in
     * the arena. NULL: there is one. */
    const char *refused_code, *refused;
    struct verdict_row verdict;
    bool is_repeat; /* it stood there already */
};

/* Decides about requests: records as Kafka would hand them out, with value and timestamp_ms, and
 * their event ids. *out has one answer for each, in their order, in the arena. After any error call
 * decider_undo. RETRY: run the same again, with an arena that was reset. REJECT: one of the
 * requests makes a transaction fail; run each alone. */
enum outcome decider_run(struct decider *decider, struct arena *arena, const struct record *records,
                         const struct id *requests, size_t count, struct decided **out,
                         struct err *err);
/* Sends what the last decider_run committed, and forgets it in the outboxes. What fails here is
 * sent by the services. Before the arena of that run is reset. */
enum outcome decider_publish(struct decider *decider, int timeout_ms, struct err *err);
/* How long the two steps of the last decider_run took, microseconds. */
struct decider_times {
    int64_t identity_us, decision_us;
};
struct decider_times decider_times(const struct decider *decider);
/* Ends what an error left open. */
void decider_undo(struct decider *decider);
/* RETRY: a database is away. */
enum outcome decider_ready(struct decider *decider, struct err *err);

/* Stored verdicts, by their requests; for a request that has none, refused is "unknown". */
enum outcome decider_find(struct decider *decider, struct arena *arena, const struct id *requests,
                          size_t count, struct decided **out, struct err *err);

/* Answers claims as of now; who may claim what is the caller's business. RETRY: run the same again.
 * After any error call decider_undo. */
enum outcome decider_claim(struct decider *decider, struct arena *arena, struct claim *claims,
                           size_t count, struct err *err);

/* The channels that a customer prefers, the most liked first. */
enum outcome decider_preferred(struct decider *decider, struct arena *arena,
                               const struct id *profile_id, struct contact_names *out,
                               struct err *err);

#endif
