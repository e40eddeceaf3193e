/* recent.h: the newest touches of a customer after which something may still happen: a send that
 * may be answered, a touch that a sale may follow.
 *
 * A list is bounded in number and in age. Both bounds are part of what the figures mean. */
#ifndef TUTTI_JOURNEY_RECENT_H
#define TUTTI_JOURNEY_RECENT_H

#include "services/journey-tracker/logic/journey_internal.h"

struct recent_touch {
    struct instant at;
    const struct shape *shape;
    uint32_t segments; /* before the touch, as bits */
};

/* Oldest first, from `head` on. An item has `size` bytes and begins with its struct recent_touch.
 */
struct recent {
    char *items;
    size_t size;
    uint32_t head, count, capacity, max;
};

static inline void *recent_at(const struct recent *list, uint32_t i)
{
    return list->items + (list->head + i) * list->size;
}

/* Forgets the oldest n. */
static inline void recent_drop(struct recent *list, uint32_t n)
{
    list->count -= n;
    list->head = list->count ? list->head + n : 0;
}
/* Forgets what is before an instant. */
void recent_prune(struct recent *list, struct instant since);
/* The new item, all zeros but for its touch. Where the list is full, the oldest one goes. */
void *recent_push(struct recent *list, struct arena *arena, const struct recent_touch *touch);
void recent_copy(struct recent *to, const struct recent *from, struct arena *arena);

/* The bytes of an item's touch; `last` is the time of the last fact. */
void recent_pack(struct strbuf *out, struct instant last, const struct recent_touch *touch);
struct recent_touch recent_unpack(struct piece_bytes *bytes, struct instant last);

#endif
