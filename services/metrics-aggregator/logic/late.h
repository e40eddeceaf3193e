/* late.h: what comes after the figures of a period were final: corrections. Pure. */
#ifndef TUTTI_METRICS_LATE_H
#define TUTTI_METRICS_LATE_H

#include "common/base/cell.h"

/* The kinds of period, one bit each (1 << enum period_kind), whose period with this cell is closed.
 * 0 too for a family that keeps no corrections. closed_day: periods that end by the beginning of
 * this day are closed. */
unsigned late_kinds(const struct cell_key *key, int32_t closed_day);

#endif
