/* sequence.c: compares the next item of a lane with the number that the lane expects. */
#include "services/metrics-aggregator/logic/sequence.h"

int numbered_compare(const void *a, const void *b)
{
    int64_t x = ((const struct numbered *)a)->seq, y = ((const struct numbered *)b)->seq;
    return (x > y) - (x < y);
}

enum sequence_step sequence_step(struct sequence *sequence, int64_t *last)
{
    while (sequence->at < sequence->count && sequence->items[sequence->at].seq < sequence->next) {
        sequence->at++;
        sequence->dropped++;
    }
    if (sequence->at < sequence->count) {
        *last = sequence->items[sequence->at].seq - 1;
        return *last < sequence->next ? SEQUENCE_APPLY : SEQUENCE_FETCH;
    }
    *last = INT64_MAX;
    return sequence->open ? SEQUENCE_FETCH : SEQUENCE_DONE;
}

void sequence_advance(struct sequence *sequence, bool more)
{
    if (sequence->at < sequence->count && sequence->items[sequence->at].seq == sequence->next)
        sequence->at++;
    sequence->next++;
    sequence->open = more;
}
