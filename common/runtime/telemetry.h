/* telemetry.h: counters, gauges and histograms in Prometheus text form (prefix tutti_, base units,
 * no labels from data). Any thread writes and reads: values are 64-bit atomics with relaxed order.
 */
#ifndef TUTTI_RUNTIME_TELEMETRY_H
#define TUTTI_RUNTIME_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metric; /* one sample series: a name and its labels */

/* Registers (or finds again) a series. labels is "" or `topic="x",result="ok"`. Never fails; lives
 * until exit. Names are given without the prefix ([a-z0-9_], units in the name); counters end in
 * _total. A bad name or one name with two types is a programming error and aborts. Labels that are
 * not well-formed become one label `malformed`. */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);
/* Buckets of seconds: 0.001 .. 60 in steps of about 2.5 unless bounds (ascending, count of them)
 * are given. */
struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                const double *bounds, size_t count);

void metric_add(struct metric *metric, double value);
void metric_set(struct metric *metric, double value);
void metric_observe(struct metric *metric, double value);
double metric_value(const struct metric *metric); /* of a histogram: how many were observed */

/* Appends name="value" to the labels in text (size bytes, begun as ""), with the value escaped;
 * returns text. What does not fit is left out. */
const char *metric_label(char *text, size_t size, const char *name, const char *value);

/* The whole exposition, with process_* and build_info; caller frees. Any thread may call. */
char *telemetry_render(void);

#endif
