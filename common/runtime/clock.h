/* clock.h: the only place that reads a clock. Logic gets `now` as an argument. */
#ifndef TUTTI_RUNTIME_CLOCK_H
#define TUTTI_RUNTIME_CLOCK_H

#include "common/base/instant.h"

struct instant clock_now(void);   /* wall clock, UTC */
int64_t clock_monotonic_us(void); /* for durations and deadlines */

#endif
