/* resolver_metrics.c: registers the metrics and adds what each transaction counted. */
#include "services/identity-resolver/resolver_metrics.h"

static void open_refusals(struct resolver_metrics *m)
{
    for (int rule = REFUSED_PAIR; rule <= REFUSED_MAX_IDENTIFIERS; rule++) {
        char labels[64] = "";
        metric_label(labels, sizeof labels, "rule", identity_refusal_name((enum refusal)rule));
        m->refused[rule] = metric_counter("identity_links_refused_total", labels,
                                          "Links that came to be refused, by rule.");
    }
}

static struct metric *open_exchange(const char *phase)
{
    char labels[64] = "";
    metric_label(labels, sizeof labels, "phase", phase);
    return metric_gauge(
        "key_exchange_open_seconds", labels,
        "Since an exchange of the key of identifier hashes is in this phase; 0: it is not.");
}

void resolver_metrics_open(struct resolver_metrics *m)
{
    m->hits =
        metric_counter("resolver_cache_hits_total", "", "Touchpoints that needed no database.");
    m->misses = metric_counter("resolver_cache_misses_total", "",
                               "Touchpoints with something not yet cached.");
    m->unidentified = metric_counter("touchpoints_unidentified_total", "",
                                     "Touchpoints without a usable identifier.");
    m->tests = metric_counter("touchpoints_test_total", "",
                              "Touchpoints marked is_test, which are left out of everything.");
    m->erased = metric_counter("touchpoints_erased_total", "",
                               "Touchpoints dropped because an identifier of theirs was erased.");
    m->found_by_previous =
        metric_counter("identifiers_found_by_previous_key_total", "",
                       "Identifiers met first since the key of their hash was exchanged.");
    m->cache_bytes = metric_gauge("resolver_cache_bytes", "", "Memory held by the cache.");
    m->transactions = metric_counter("resolver_transactions_total", "",
                                     "Transactions that wrote identifiers or links.");
    m->slow = metric_counter("resolver_slow_transactions_total", "",
                             "Transactions that had to test links to other profiles.");
    m->restarts = metric_counter("resolver_restarts_total", "",
                                 "Attempts given up because another instance was faster.");
    m->rows_read = metric_counter("resolver_rows_read_total", "",
                                  "Identifiers and links that transactions read.");
    m->moved =
        metric_counter("identifiers_moved_total", "", "Identifiers that moved to another profile.");
    m->merges = metric_counter("profiles_merged_total", "", "Profiles that went into another one.");
    m->splits = metric_counter("profiles_split_total", "", "Parts of a profile that left it.");
    m->quarantined = metric_counter("identifiers_quarantined_total", "",
                                    "Identifiers that went into quarantine.");
    m->released = metric_counter("identifiers_released_total", "",
                                 "Identifiers that came out of quarantine.");
    m->largest = metric_gauge("identity_largest_profile", "",
                              "Identifiers, as max_identifiers counts them, of the largest profile "
                              "touched since the start.");
    m->large =
        metric_counter("resolver_large_profile_transactions_total", "",
                       "Transactions that touched a profile of more than half of max_identifiers.");
    m->neighbours = metric_counter("identity_neighbours_locked_total", "",
                                   "Profiles locked only to test links to them.");
    m->erasure_open =
        metric_gauge("erasure_open_seconds", "",
                     "Since the oldest erasure was made that is not complete; 0: all are.");
    m->key_announced = open_exchange("announced");
    m->key_rotating = open_exchange("rotating");
    open_refusals(m);
}

void resolver_metrics_show(struct resolver_metrics *m, const struct open_work *work)
{
    metric_set(m->erasure_open, (double)work->erasure);
    metric_set(m->key_announced, (double)work->announced);
    metric_set(m->key_rotating, (double)work->rotating);
}

static void add_largest(struct resolver_metrics *m, size_t largest, size_t max_identifiers)
{
    metric_add(m->large, largest > max_identifiers / 2);
    if ((double)largest > metric_value(m->largest))
        metric_set(m->largest, (double)largest);
}

void resolver_metrics_add(struct resolver_metrics *m, const struct committed_change *change,
                          size_t max_identifiers)
{
    const struct resolve_counts *counts = &change->counts;
    metric_add(m->transactions, 1);
    metric_add(m->slow, counts->is_slow);
    metric_add(m->restarts, (double)counts->restarts);
    metric_add(m->rows_read, (double)counts->rows_read);
    metric_add(m->moved, (double)change->moved);
    metric_add(m->merges, (double)counts->merged);
    metric_add(m->splits, (double)counts->split);
    metric_add(m->quarantined, (double)counts->quarantined);
    metric_add(m->released, (double)counts->released);
    add_largest(m, counts->largest_profile, max_identifiers);
    metric_add(m->neighbours, (double)counts->neighbours);
    for (int rule = REFUSED_PAIR; rule <= REFUSED_MAX_IDENTIFIERS; rule++)
        metric_add(m->refused[rule], (double)counts->refused[rule]);
}
