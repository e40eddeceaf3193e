/* resolver_self.h: the service's own structure and a batch's events. Only the files of the service
 * itself include it; the working set of a transaction is resolve/resolve_work.h.
 *
 *   resolver_service.c   settings, opening, closing, applying a batch
 *   resolver_decode.c    records -> events
 *   resolver_publish.c   events and identity changes -> topics */
#ifndef TUTTI_RESOLVER_SELF_H
#define TUTTI_RESOLVER_SELF_H

#include "common/codec/messages.h"
#include "common/service/generation.h"
#include "common/service/service.h"
#include "services/identity-resolver/policy/resolver_signals.h"
#include "services/identity-resolver/resolver_metrics.h"

struct event {
    const struct record *record;
    struct framed framed;
    struct sighting sighting;        /* id_count 0: unidentified */
    struct cached_identifier *known; /* what is published of each of its identifiers */
    bool is_covered;
    bool is_unsure; /* not all of its hashes lead to an id yet; only after an exchange of keys */
};

struct events {
    struct event *items;
    size_t count, capacity;
    size_t unidentified; /* how many have no usable identifier */
    struct committed_change change;
};

struct self {
    struct service_context context;
    const struct service_context *pipeline; /* the same, with the consumer once there is one */
    struct resolver resolver;
    struct arena arena; /* policy files */
    enum framing framing;
    int resolved_topic, changes_topic;
    int32_t resolved_partitions;
    int64_t *scanned_versions; /* sent by scan, waiting for acknowledgement */
    size_t scanned_count;
    struct seal_keys raw_keys;
    struct erased erased;
    struct signals signals; /* in signals_arena, or borrowed from the policies */
    struct arena signals_arena;
    struct generation generation; /* whose signals they are */
    int64_t forgotten;            /* the cache holds nothing of erasures up to this version */
    struct id_finder finder;      /* of the batch, after an exchange of keys */
    int64_t keys_followed_us, work_shown_us;
    struct resolver_metrics metrics;
};

/* Callbacks of the service (service.h). */
/* The timestamp of the record, which is the same at every reading. */
struct instant resolver_recorded_at(const struct record *record);
enum outcome resolver_decode(void *self, struct batch *batch, const struct record *record,
                             struct err *err);
enum outcome resolver_publish(void *self, struct batch *batch, struct err *err);
enum outcome resolver_finished(void *self, struct batch *batch, struct err *err);
enum outcome resolver_scan(void *self, struct arena *arena, struct err *err);
enum outcome resolver_scanned(void *self, struct err *err);

/* Asks the database for the ids that decode was unsure of and collects those touchpoints again.
 * Drops the touchpoints of erased people. */
enum outcome resolver_make_sure(struct self *self, struct batch *batch, struct events *events,
                                struct err *err);

#endif
