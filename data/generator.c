/* generator.c: see generator.h: arrivals through a heap, in front of a profile. */
#include "data/generator_internal.h"

#include <stdlib.h>

enum { LATE_MEAN_HOURS = 6, LATE_MAX_DAYS = 14, NORMAL_DELAY_US = 3000000 };
static const double LATE_SHARE = 0.05, DUPLICATE_SHARE = 0.01;

static bool arrives_before(const struct generator_arrival *a, const struct generator_arrival *b)
{
    return a->at != b->at         ? a->at < b->at
           : a->index != b->index ? a->index < b->index
                                  : a->is_duplicate < b->is_duplicate;
}

static void heap_push(struct generator *g, struct generator_arrival arrival)
{
    if (g->heap_count == g->heap_capacity) {
        g->heap_capacity = g->heap_capacity ? g->heap_capacity * 2 : 1024;
        g->heap = realloc(g->heap, g->heap_capacity * sizeof *g->heap);
        if (g->heap == NULL)
            abort();
    }
    size_t at = g->heap_count++;
    while (at > 0 && arrives_before(&arrival, &g->heap[(at - 1) / 2])) {
        g->heap[at] = g->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    g->heap[at] = arrival;
}

static struct generator_arrival heap_pop(struct generator *g)
{
    struct generator_arrival first = g->heap[0], last = g->heap[--g->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < g->heap_count; at = child) {
        if (child + 1 < g->heap_count && arrives_before(&g->heap[child + 1], &g->heap[child]))
            child++;
        if (!arrives_before(&g->heap[child], &last))
            break;
        g->heap[at] = g->heap[child];
    }
    g->heap[at] = last;
    return first;
}

/* When a touchpoint first arrives, and when again (INT64_MAX: never). */
static int64_t first_arrival(const struct generator *g, uint64_t index, bool *is_late,
                             int64_t *again)
{
    struct random r = random_of(g->options.seed, STREAM_ARRIVAL, index);
    int64_t delay = 20000 + (int64_t)random_below(&r, NORMAL_DELAY_US);
    *is_late = random_chance(&r, LATE_SHARE);
    if (*is_late) {
        double late = random_exponential(&r, LATE_MEAN_HOURS * 3600e6),
               most = LATE_MAX_DAYS * (double)US_PER_DAY;
        delay += (int64_t)(late < most ? late : most);
    }
    int64_t at = g->profile->occurred_at(g, index) + delay;
    *again = random_chance(&r, DUPLICATE_SHARE)
                 ? at + 60 * US_PER_SECOND +
                       (int64_t)random_below(&r, (uint64_t)(US_PER_DAY - 60 * US_PER_SECOND))
                 : INT64_MAX;
    return at;
}

static void push_next(struct generator *g)
{
    struct generator_arrival arrival = {.index = g->next++};
    int64_t again;
    arrival.at = first_arrival(g, arrival.index, &arrival.is_late, &again);
    heap_push(g, arrival);
    if (again != INT64_MAX)
        heap_push(g, (struct generator_arrival){again, arrival.index, arrival.is_late, true});
}

bool generator_next(struct generator *g, struct generated *out)
{
    while (g->next < g->options.events &&
           (g->heap_count == 0 || g->profile->occurred_at(g, g->next) <= g->heap[0].at))
        push_next(g);
    if (g->heap_count == 0)
        return false;
    struct generator_arrival arrival = heap_pop(g);
    g->texts.len = 0;
    touchpoint_clear(&out->touchpoint);
    out->person = g->profile->fill(g, arrival.index, &g->texts, &out->touchpoint);
    bool is_late;
    int64_t again;
    out->touchpoint.received_at = first_arrival(g, arrival.index, &is_late, &again);
    out->emitted_at = (struct instant){arrival.at};
    out->index = arrival.index;
    out->is_late = arrival.is_late;
    out->is_duplicate = arrival.is_duplicate;
    return true;
}

enum outcome generator_open(const struct generator_options *options, struct generator **out,
                            struct err *err)
{
    if (options->people < 1 || options->people > 50000000)
        return err_set(err, OUTCOME_FATAL, "bad_option", "people must be between 1 and 50000000");
    if (options->days < 1 || options->days > 3650)
        return err_set(err, OUTCOME_FATAL, "bad_option", "days must be between 1 and 3650");
    struct generator *g = calloc(1, sizeof *g);
    if (g == NULL)
        abort();
    g->options = *options;
    g->profile = options->profile == GENERATOR_BANK ? &profile_bank : &profile_bench;
    g->span_us = options->days * US_PER_DAY;
    enum outcome outcome = g->profile->open(g, err);
    if (outcome == OUTCOME_OK)
        *out = g;
    else
        generator_close(g);
    return outcome;
}

void generator_close(struct generator *g)
{
    if (g == NULL)
        return;
    g->profile->close(g);
    free(g->heap);
    free(g);
}
