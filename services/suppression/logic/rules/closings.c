/* closings.c: see closings.h. */
#include "services/suppression/logic/rules/closings.h"

#include <stdlib.h>

void closings_add(struct closings *closings, struct arena *arena, struct closing closing)
{
    struct closing *last = closings->count ? &closings->items[closings->count - 1] : NULL;
    if (last && instant_compare(closing.from, last->until) <= 0) {
        if (instant_compare(closing.until, last->until) > 0)
            last->until = closing.until;
        return;
    }
    *arena_push(arena, closings) = closing;
}

static int closing_compare(const void *a, const void *b)
{
    return instant_compare(((const struct closing *)a)->from, ((const struct closing *)b)->from);
}

struct closings closings_unite(const struct closings *a, const struct closings *b,
                               struct arena *arena)
{
    struct closings all = {arena_array(arena, struct closing, a->count + b->count), 0, 0},
                    out = {0};
    for (size_t i = 0; i < a->count; i++)
        all.items[all.count++] = a->items[i];
    for (size_t i = 0; i < b->count; i++)
        all.items[all.count++] = b->items[i];
    if (all.count > 1)
        qsort(all.items, all.count, sizeof *all.items, closing_compare);
    for (size_t i = 0; i < all.count; i++)
        closings_add(&out, arena, all.items[i]);
    return out;
}

void closings_answer(const struct closings *closings, struct finding *finding)
{
    static const struct closing none;
    finding->closings = closings->count ? closings->items : &none;
    finding->closing_count = closings->count;
}
