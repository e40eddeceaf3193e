/* service.h: the contract that every service fills. The one pipeline loop (pipeline.c) calls it.
 *
 * A batch walks:
 *
 *     take records -> decode (each record) -> apply (load, pure logic, save, commit)
 *         -> publish (queue messages) -> acknowledged -> finished -> offsets are committed
 *
 * RETRY "generation_changed" from apply or scan: other policies were activated. The pipeline renews
 * the service before it runs the records again: `renew`, or close() and open() with the policies of
 * the database.
 *
 * RETRY from any step: the pipeline rolls back, calls `dropped`, waits with back-off and runs the
 * SAME records again. So every step must be idempotent. REJECT from decode: one dead letter for
 * that record. REJECT from apply: the pipeline halves the batch until it finds the faulty record,
 * which becomes a dead letter. FATAL: one clear line, exit status 1.
 *
 * assigned, publish, finished, dropped, scan and scanned may be NULL. All callbacks run on the one
 * thread of the loop. They may block on the database, never on anything unbounded. */
#ifndef TUTTI_SERVICE_SERVICE_H
#define TUTTI_SERVICE_SERVICE_H

#include "common/base/arena.h"
#include "common/base/outcome.h"
#include "common/bus/consumer.h"
#include "common/bus/producer.h"
#include "common/codec/schema/schema_set.h"
#include "common/runtime/config.h"
#include "common/service/policy_source.h"
#include "common/store/db.h"

struct service_context {
    const struct config *config;
    struct policy_source *policies; /* what policy.from says; after a change the database */
    struct db *db;
    struct producer *producer; /* NULL: nothing will be published, only computed */
    struct consumer *consumer; /* NULL inside open(), and for records that come another way */
    struct schema_set *schemas;
};

struct batch {
    struct arena *arena; /* reset when the batch is done; also before a re-run */
    const struct record
        *records; /* in the order they were taken, those that decode rejected included */
    size_t record_count;
    struct instant now; /* wall clock at the start of this run of the batch */
    void *events; /* the service's decoded events, an arena object made by its first decode call */
};

struct service {
    const char *name; /* "identity-resolver": also the default group id and application_name */
    const struct setting *settings; /* the service's own settings, NULL-name-ended */
    /* NULL-ended names of settings whose values are the input topics, in topic index order */
    const char *const *topic_settings;
    /* The setting with the most bytes of a record, for a service that reads what others produce.
     * NULL: our own records have no limit, because the service that made them kept one. */
    const char *size_setting;
    /* Its records are touchpoints: their schemas are others', and a record may have to wait until
     * the registry has its schema. */
    bool reads_touchpoints;
    const char *version_note; /* part of /version, may be NULL */

    /* For --check-config, on the one thread and without any server: reads the files (policies,
     * keys) that open() will read, and fails as open() would. May be NULL. */
    enum outcome (*check)(const struct config *config, struct err *err);
    size_t self_size; /* of the service's own structure, `self` below */
    /* Called with database and producer ready and self all zero: read policies, check the
     * generation, prepare caches. After any failure the caller calls close(), and after RETRY
     * open() again. */
    enum outcome (*open)(struct service_context *context, void *self, struct err *err);
    /* frees what self holds, even if open() failed half-way; not self itself */
    void (*close)(void *self);
    /* Other policies are active: takes those of context->policies, which is the database now. NULL:
     * closed and opened instead, and told its assignment again. RETRY: it is called again. */
    enum outcome (*renew)(void *self, struct err *err);
    /* The complete new assignment (empty after everything was revoked), told between batches. Drop
     * caches here that are valid for the assigned partitions only. */
    void (*assigned)(void *self, const int *topics, const int32_t *partitions, size_t count);

    enum outcome (*decode)(void *self, struct batch *batch, const struct record *record,
                           struct err *err);
    enum outcome (*apply)(void *self, struct batch *batch, struct err *err);
    enum outcome (*publish)(void *self, struct batch *batch, struct err *err);
    /* All messages of publish are acknowledged: mark outbox rows, advance pub_seq, fill caches that
     * depend on it. */
    enum outcome (*finished)(void *self, struct batch *batch, struct err *err);
    /* The batch's memory is gone: forget what it promised. Never undo caches that were filled after
     * a confirmed commit. */
    void (*dropped)(void *self);
    /* At start, after each assignment, after a failed batch and every `outbox.scan.interval`:
     * publish what other instances left behind. May send; the pipeline waits for acknowledgements
     * and calls `scanned`. */
    enum outcome (*scan)(void *self, struct arena *arena, struct err *err);
    enum outcome (*scanned)(void *self, struct err *err);
};

/* main() of every service: configuration, signals, admin HTTP, then the loop until SIGTERM. Returns
 * the exit status. */
int service_main(const struct service *service, int argc, char **argv);

#endif
