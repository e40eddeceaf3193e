/* periods.h: the periods of the reports as days: first day, and first day of the next one. Days are
 * those of the reporting zone, weeks begin on Monday. */
#ifndef TUTTI_WORDS_PERIODS_H
#define TUTTI_WORDS_PERIODS_H

#include "common/words/words.h"

/* Of the period of this kind that the day is in. */
int32_t period_start(enum period_kind kind, int32_t day);
int32_t period_end(enum period_kind kind, int32_t day);

#endif
