/* metrics_service.c: the callbacks of metrics-aggregator: diffs are decoded, and a batch is one
 * flush. It sends nothing. */
#include "services/metrics-aggregator/metrics_service.h"

#include <stdlib.h>

#include "common/runtime/telemetry.h"
#include "common/service/topic_names.h"
#include "services/metrics-aggregator/metrics_flush.h"
#include "services/metrics-aggregator/metrics_store.h"

struct diffs {
    struct journey_diff *items; /* cells borrowed from the records */
    size_t count, capacity;
};

struct self {
    struct metrics_flush flush;
    struct metric *applied, *repeated, *outdated, *from_outbox, *cells, *cache_bytes;
};

static const struct setting settings[] = {
    {"topic.diffs", SETTING_TEXT, OUR_TOPIC_DIFFS, 0, 0, NULL, "Input: numbered signed sums."},
    {"cache.bytes", SETTING_BYTES, "128MB", 1 << 20, INT64_C(1) << 40, NULL,
     "Memory for the keys of cells that are known to be stored."},
    {0},
};

static const char *const topic_settings[] = {"topic.diffs", NULL};

static void open_metrics(struct self *self)
{
    static const double sizes[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    self->applied =
        metric_counter("diffs_applied_total", "", "Numbered diffs that were added to the sums.");
    self->repeated = metric_counter("diffs_dropped_total", "reason=\"repeated\"",
                                    "Numbered diffs that were not added.");
    self->outdated = metric_counter("diffs_dropped_total", "reason=\"generation\"",
                                    "Numbered diffs that were not added.");
    self->from_outbox = metric_counter("diffs_from_outbox_total", "",
                                       "Numbered diffs read from the outbox, not from the topic.");
    self->cells = metric_histogram("flush_cells", "", "Cells written by one transaction.", sizes,
                                   sizeof sizes / sizeof *sizes);
    self->cache_bytes =
        metric_gauge("cell_keys_cache_bytes", "", "Memory held by known keys of cells.");
}

static enum outcome metrics_open(struct service_context *context, void *arg, struct err *err)
{
    struct self *self = arg;
    struct generation generation;
    CHECK(policy_source_fetch(context->db, context->policies, err));
    CHECK(generation_open(context->db, context->policies, &generation, err));
    CHECK(generation_use_slot(context->db, generation.slot, err));
    flush_open(&self->flush, context->db, &generation,
               (size_t)config_int(context->config, "cache.bytes"));
    open_metrics(self);
    return OUTCOME_OK;
}

static void metrics_close(void *arg)
{
    struct self *self = arg;
    flush_close(&self->flush);
}

static enum outcome metrics_decode(void *arg, struct batch *batch, const struct record *record,
                                   struct err *err)
{
    struct journey_diff diff;
    CHECK(journey_diff_decode(record->value, &diff, err));
    if (diff.lane < 0 || diff.seq < 1 || diff.seq == INT64_MAX)
        return err_set(err, OUTCOME_REJECT, "diff_malformed",
                       "lane %d or number %lld is out of range", diff.lane, (long long)diff.seq);
    if (batch->events == NULL)
        batch->events = arena_new(batch->arena, struct diffs);
    struct diffs *diffs = batch->events;
    *arena_push(batch->arena, diffs) = diff;
    return OUTCOME_OK;
}

static enum outcome metrics_apply(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    const struct diffs *diffs = batch->events;
    if (diffs == NULL)
        return OUTCOME_OK;
    struct flush_counts counts = {0};
    CHECK(flush_run(&self->flush, batch->arena, diffs->items, diffs->count, &counts, err));
    metric_add(self->applied, (double)counts.applied);
    metric_add(self->repeated, (double)counts.repeated);
    metric_add(self->outdated, (double)counts.outdated);
    metric_add(self->from_outbox, (double)counts.from_outbox);
    metric_observe(self->cells, (double)counts.cells);
    metric_set(self->cache_bytes, (double)map_bytes(&self->flush.known_keys));
    return OUTCOME_OK;
}

const struct service metrics_service = {
    .name = "metrics-aggregator",
    .settings = settings,
    .topic_settings = topic_settings,
    .self_size = sizeof(struct self),
    .open = metrics_open,
    .close = metrics_close,
    .decode = metrics_decode,
    .apply = metrics_apply,
};
