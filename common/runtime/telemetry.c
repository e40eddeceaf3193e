/* telemetry.c: a registry of metric families and their text exposition (Prometheus text format
 * 0.0.4). */
#include "common/runtime/telemetry.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/pack.h"
#include "common/runtime/process_stats.h"
#include "common/runtime/version.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
    struct metric *next;
    enum metric_type type;
    char *labels;
    _Atomic uint64_t value; /* bits of a double; a histogram's sum */
    double *bounds;
    size_t bound_count;
    _Atomic uint64_t *buckets; /* bound_count + 1, not cumulative */
};

struct family {
    struct family *next;
    enum metric_type type;
    char *name, *help;
    struct metric *first, **last;
};

static const char *const type_names[] = {"counter", "gauge", "histogram"};
static const double default_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                        0.5,   1,      2.5,   5,    10,    25,   60};

static struct {
    pthread_mutex_t lock;
    struct family *first; /* ordered by name */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

/* Values */

static double load(const _Atomic uint64_t *bits)
{
    uint64_t b = atomic_load_explicit(bits, memory_order_relaxed);
    double v;
    memcpy(&v, &b, sizeof v);
    return v;
}

static void store(_Atomic uint64_t *bits, double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    atomic_store_explicit(bits, b, memory_order_relaxed);
}

void metric_add(struct metric *metric, double value)
{
    if (metric == NULL)
        return;
    uint64_t before = atomic_load_explicit(&metric->value, memory_order_relaxed), after;
    do {
        double sum;
        memcpy(&sum, &before, sizeof sum);
        sum += value;
        memcpy(&after, &sum, sizeof after);
    } while (!atomic_compare_exchange_weak_explicit(&metric->value, &before, after,
                                                    memory_order_relaxed, memory_order_relaxed));
}

void metric_set(struct metric *metric, double value)
{
    if (metric == NULL)
        return;
    store(&metric->value, value);
}

void metric_observe(struct metric *metric, double value)
{
    size_t i = 0;
    while (i < metric->bound_count && value > metric->bounds[i])
        i++;
    atomic_fetch_add_explicit(&metric->buckets[i], 1, memory_order_relaxed);
    metric_add(metric, value);
}

double metric_value(const struct metric *metric)
{
    if (metric->type != METRIC_HISTOGRAM)
        return load(&metric->value);
    uint64_t count = 0;
    for (size_t i = 0; i <= metric->bound_count; i++)
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    return (double)count;
}

/* Labels */

static void escape(struct strbuf *out, struct span text, bool quotes)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n')
            strbuf_add(out, "\\n", 2);
        else if (c == '\\' || (quotes && c == '"'))
            strbuf_addf(out, "\\%c", c);
        else
            strbuf_add(out, &c, 1);
    }
}

static void add_label(struct strbuf *out, const char *name, const char *value)
{
    struct span text = span_of(value);
    strbuf_addf(out, "%s=\"", name);
    escape(out, span_is_clean_utf8(text) ? text : SPAN("?"), true);
    strbuf_add(out, "\"", 1);
}

const char *metric_label(char *text, size_t size, const char *name, const char *value)
{
    size_t used = strlen(text);
    struct strbuf label = {0};
    if (used)
        strbuf_add(&label, ",", 1);
    add_label(&label, name, value);
    if (used + label.len < size)
        memcpy(text + used, label.ptr, label.len + 1);
    strbuf_free(&label);
    return text;
}

static size_t name_length(const char *p)
{
    size_t n = 0;
    while ((p[n] >= 'a' && p[n] <= 'z') || p[n] == '_' || (n > 0 && p[n] >= '0' && p[n] <= '9'))
        n++;
    return n;
}

/* The character behind the closing quote of the label value that begins at p; NULL if malformed. */
static const char *skip_value(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++) {
        if (*p == '\\' && strchr("\\\"n", *++p) == NULL)
            return NULL;
        if (*p == '\0' || *p == '\n')
            return NULL;
    }
    return p + 1;
}

static bool is_well_formed(const char *p)
{
    if (!span_is_clean_utf8(span_of(p)))
        return false;
    while (*p) {
        size_t n = name_length(p);
        if (n == 0 || p[n] != '=' || (p = skip_value(p + n + 1)) == NULL)
            return false;
        if (*p == ',' && p[1])
            p++;
        else if (*p)
            return false;
    }
    return true;
}

static char *checked_labels(const char *labels)
{
    if (is_well_formed(labels))
        return must(strdup(labels));
    struct strbuf text = {0};
    add_label(&text, "malformed", labels);
    return text.ptr;
}

/* Registry */

static struct family *find_family(const char *name, enum metric_type type, const char *help)
{
    struct family **at = &registry.first;
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    if (*at && strcmp((*at)->name, name) == 0) {
        if ((*at)->type != type)
            abort();
        return *at;
    }
    if (name[0] == '\0' || name[name_length(name)])
        abort();
    struct family *family = must(calloc(1, sizeof *family));
    *family = (struct family){
        .next = *at, .type = type, .name = must(strdup(name)), .help = must(strdup(help))};
    family->last = &family->first;
    return *at = family;
}

static struct metric *find_series(struct family *family, const char *labels)
{
    char *checked = checked_labels(labels);
    struct metric *metric = family->first;
    while (metric && strcmp(metric->labels, checked) != 0)
        metric = metric->next;
    if (metric) {
        free(checked);
        return metric;
    }
    metric = must(calloc(1, sizeof *metric));
    metric->type = family->type;
    metric->labels = checked;
    *family->last = metric;
    family->last = &metric->next;
    return metric;
}

static void set_bounds(struct metric *metric, const double *bounds, size_t count)
{
    if (bounds == NULL || count == 0) {
        bounds = default_bounds;
        count = sizeof default_bounds / sizeof *default_bounds;
    }
    metric->bounds = must(malloc(count * sizeof *bounds));
    memcpy(metric->bounds, bounds, count * sizeof *bounds);
    metric->bound_count = count;
    metric->buckets = must(calloc(count + 1, sizeof *metric->buckets));
}

static struct metric *find_metric(enum metric_type type, const char *name, const char *labels,
                                  const char *help, const double *bounds, size_t count)
{
    pthread_mutex_lock(&registry.lock);
    struct metric *metric = find_series(find_family(name, type, help), labels);
    if (type == METRIC_HISTOGRAM && metric->buckets == NULL)
        set_bounds(metric, bounds, count);
    pthread_mutex_unlock(&registry.lock);
    return metric;
}

struct metric *metric_counter(const char *name, const char *labels, const char *help)
{
    return find_metric(METRIC_COUNTER, name, labels, help, NULL, 0);
}

struct metric *metric_gauge(const char *name, const char *labels, const char *help)
{
    return find_metric(METRIC_GAUGE, name, labels, help, NULL, 0);
}

struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                const double *bounds, size_t count)
{
    return find_metric(METRIC_HISTOGRAM, name, labels, help, bounds, count);
}

/* Exposition */

static void add_number(struct strbuf *out, double v)
{
    if (isnan(v)) {
        strbuf_add(out, "NaN", 3);
    } else if (isinf(v)) {
        strbuf_add(out, v > 0 ? "+Inf" : "-Inf", 4);
    } else {
        /* The shortest of the usual forms that reads back as the same number. */
        char text[32];
        for (int digits = 6; digits <= 17; digits = digits == 6 ? 15 : digits + 1) {
            snprintf(text, sizeof text, "%.*g", digits, v);
            if (strtod(text, NULL) == v)
                break;
        }
        strbuf_add(out, text, strlen(text));
    }
}

static void add_head(struct strbuf *out, const char *name, const char *type, const char *help)
{
    strbuf_addf(out, "# HELP %s ", name);
    escape(out, span_of(help), false);
    strbuf_addf(out, "\n# TYPE %s %s\n", name, type);
}

static void add_sample(struct strbuf *out, const char *name, const char *suffix, const char *labels,
                       double value)
{
    strbuf_addf(out, "tutti_%s%s", name, suffix);
    if (*labels)
        strbuf_addf(out, "{%s}", labels);
    strbuf_add(out, " ", 1);
    add_number(out, value);
    strbuf_add(out, "\n", 1);
}

static void add_histogram(struct strbuf *out, const char *name, const struct metric *metric)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= metric->bound_count; i++) {
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        strbuf_addf(out, "tutti_%s_bucket{%s%sle=\"", name, metric->labels,
                    *metric->labels ? "," : "");
        add_number(out, i < metric->bound_count ? metric->bounds[i] : INFINITY);
        strbuf_addf(out, "\"} %llu\n", (unsigned long long)count);
    }
    add_sample(out, name, "_sum", metric->labels, load(&metric->value));
    add_sample(out, name, "_count", metric->labels, (double)count);
}

static void add_family(struct strbuf *out, const struct family *family)
{
    char name[256];
    snprintf(name, sizeof name, "tutti_%s", family->name);
    add_head(out, name, type_names[family->type], family->help);
    for (const struct metric *m = family->first; m; m = m->next)
        if (m->type == METRIC_HISTOGRAM)
            add_histogram(out, family->name, m);
        else
            add_sample(out, family->name, "", m->labels, load(&m->value));
}

static void add_process(struct strbuf *out)
{
    struct process_stats stats;
    process_stats_read(&stats);
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"process_cpu_seconds_total", "counter", "User and system CPU time spent in seconds.",
         stats.cpu_seconds},
        {"process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
         stats.resident_bytes},
        {"process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
         stats.virtual_bytes},
        {"process_start_time_seconds", "gauge", "Start time of the process since 1970 in seconds.",
         stats.start_time_seconds},
        {"process_open_fds", "gauge", "Number of open file descriptors.", stats.open_fds},
        {"process_max_fds", "gauge", "Maximum number of open file descriptors.", stats.max_fds},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_head(out, rows[i].name, rows[i].type, rows[i].help);
        strbuf_addf(out, "%s ", rows[i].name);
        add_number(out, rows[i].value);
        strbuf_add(out, "\n", 1);
    }
}

char *telemetry_render(void)
{
    struct strbuf out = {0};
    char build[128];
    snprintf(build, sizeof build, "version=\"%s\",revision=\"%s\"", TUTTI_VERSION, tutti_revision);
    add_head(&out, "tutti_build_info", "gauge",
             "Version and revision of this build; the value is always 1.");
    add_sample(&out, "build_info", "", build, 1);
    pthread_mutex_lock(&registry.lock);
    for (const struct family *family = registry.first; family; family = family->next)
        add_family(&out, family);
    pthread_mutex_unlock(&registry.lock);
    add_process(&out);
    return out.ptr;
}
