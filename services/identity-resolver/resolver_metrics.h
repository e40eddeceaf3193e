/* resolver_metrics.h: the metrics of identity-resolver. */
#ifndef TUTTI_RESOLVER_METRICS_H
#define TUTTI_RESOLVER_METRICS_H

#include "common/runtime/telemetry.h"
#include "services/identity-resolver/resolve/resolve.h"

struct resolver_metrics {
    struct metric *hits, *misses, *unidentified, *tests, *erased, *cache_bytes, *found_by_previous;
    struct metric *transactions, *slow, *restarts, *rows_read;
    struct metric *moved, *merges, *splits, *quarantined, *released;
    struct metric *refused[REFUSED_MAX_IDENTIFIERS + 1]; /* by rule */
    struct metric *largest, *large, *neighbours;
    struct metric *erasure_open, *key_announced, *key_rotating;
};

void resolver_metrics_open(struct resolver_metrics *metrics);
/* For how many seconds an operator's work (an erasure, an exchange of keys) has been unfinished. */
void resolver_metrics_show(struct resolver_metrics *metrics, const struct open_work *work);
/* After a transaction; max_identifiers is the active policy's. */
void resolver_metrics_add(struct resolver_metrics *metrics, const struct committed_change *change,
                          size_t max_identifiers);

#endif
