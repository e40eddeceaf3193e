/* order.h: the merge of partitions by record timestamp: one ring per lane (an assigned
 * partition), and a heap over their heads.
 *
 * A lane that is empty is in one of three states: at its end (the broker has nothing more),
 * waited for, or given up until it delivers again. The merge hands out the oldest head only
 * while no lane is waited for. What comes out is ordered as long as each lane is. Ties go to the
 * lower lane.
 *
 * Memory is bounded by a budget over all lanes. A lane whose ring is empty may always add one
 * item, so a full budget never stops the merge. Pure: no clock, no librdkafka. */
#ifndef TUTTI_BUS_ORDER_H
#define TUTTI_BUS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct order;

struct order *order_new(size_t max_items, size_t max_bytes);
/* Items still inside are passed to drop. */
void order_free(struct order *order, void (*drop)(void *item));
/* Empties everything (items go to drop) and starts with `lanes` lanes, all waited for. */
void order_reset(struct order *order, size_t lanes, void (*drop)(void *item));

/* Once half of the budget is used, the rest is for the lanes that reach less far in time: slow
 * lanes must not fill it with records that are due much later. Call before every round of adding.
 */
void order_balance(struct order *order);
bool order_has_room(const struct order *order, size_t lane);
void order_push(struct order *order, size_t lane, int64_t timestamp, void *item, size_t bytes);
/* What was pushed so far is all that the broker has for this lane. */
void order_end(struct order *order, size_t lane);
/* Lanes that are waited for now are no longer waited for until they deliver. Returns how many. */
size_t order_give_up(struct order *order);

/* The next item, or NULL if nothing is buffered or a lane is waited for. */
void *order_pop(struct order *order, size_t *lane);

bool order_is_waiting(const struct order *order); /* some lane is waited for */
bool order_is_drained(const struct order *order); /* every lane is empty and at its end */
bool order_is_at_end(const struct order *order,
                     size_t lane); /* empty, and the broker has no more */
size_t order_lane_count(const struct order *order, size_t lane);
bool order_is_waited_for(const struct order *order, size_t lane);
size_t order_count(const struct order *order);
size_t order_bytes(const struct order *order);

#endif
