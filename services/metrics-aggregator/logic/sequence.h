/* sequence.h: what to do with the numbered diffs of one lane: each number counts once, in order,
 * without gaps. Pure.
 *
 * The caller asks for steps until the lane is finished. `next` is the number that the lane expects.
 * After each diff that it applied, from the topic or from the producer's outbox, the caller calls
 * sequence_advance. */
#ifndef TUTTI_METRICS_SEQUENCE_H
#define TUTTI_METRICS_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbered {
    int64_t seq;
    bool more;        /* the next number belongs to the same transaction */
    const void *diff; /* the caller's */
};

struct sequence {
    const struct numbered *items; /* of one lane, ascending */
    size_t count, at;
    int64_t next;   /* expected number */
    bool open;      /* the last applied number announced more of its transaction */
    size_t dropped; /* items that had been applied earlier, or stand twice */
};

enum sequence_step {
    SEQUENCE_DONE,  /* nothing left, and no transaction is half applied */
    SEQUENCE_APPLY, /* sequence_item is number `next` */
    /* Numbers next .. *last have to come from the outbox; *last INT64_MAX: up to the end of the
     * transaction. */
    SEQUENCE_FETCH,
};

int numbered_compare(const void *a, const void *b); /* by seq */
enum sequence_step sequence_step(struct sequence *sequence, int64_t *last);
static inline const struct numbered *sequence_item(const struct sequence *sequence)
{
    return &sequence->items[sequence->at];
}
/* Number `next` is applied. */
void sequence_advance(struct sequence *sequence, bool more);

#endif
