/* journey_repeats.c: one message that came under several anchors of a profile is one touch. Per
 * instant, facts of one event_id: the highest rank stays, of equal ranks a
 * sale, then the smallest anchor. So the owner of a sale is no repeat of another fact of its
 * profile. */
#include <stdlib.h>

#include "services/journey-tracker/logic/journey_internal.h"

static bool has_other_anchors(const struct touch *touches, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (touches[i].key.anchor != touches[0].key.anchor)
            return true;
    return false;
}

/* By event_id; of one event_id the one that stays comes first. */
static int copy_compare(const void *a, const void *b)
{
    const struct touch *x = *(const struct touch *const *)a, *y = *(const struct touch *const *)b;
    int c = id_compare(&x->key.event_id, &y->key.event_id);
    if (c == 0)
        c = y->key.rank - x->key.rank;
    if (c == 0)
        c = y->is_sale - x->is_sale;
    return c ? c : (x->key.anchor > y->key.anchor) - (x->key.anchor < y->key.anchor);
}

/* Marks the repeats among the touches of one instant. */
static void mark_repeats(const struct touch *touches, size_t count, bool *is_repeat,
                         struct arena *arena)
{
    const struct touch **copies = arena_array(arena, const struct touch *, count);
    for (size_t i = 0; i < count; i++)
        copies[i] = &touches[i];
    qsort(copies, count, sizeof *copies, copy_compare);
    for (size_t i = 1; i < count; i++)
        if (id_equal(&copies[i - 1]->key.event_id, &copies[i]->key.event_id))
            is_repeat[copies[i] - touches] = true;
}

static size_t instant_end(const struct touch *touches, size_t from, size_t count)
{
    size_t end = from + 1;
    while (end < count && touches[end].key.at.us == touches[from].key.at.us)
        end++;
    return end;
}

size_t journey_drop_repeats(struct touch *touches, size_t count, struct arena *arena,
                            struct repeat_rows *repeats)
{
    size_t kept = 0;
    for (size_t from = 0, end; from < count; from = end) {
        end = instant_end(touches, from, count);
        bool *is_repeat = NULL;
        if (has_other_anchors(touches + from, end - from)) {
            is_repeat = arena_array(arena, bool, end - from);
            mark_repeats(touches + from, end - from, is_repeat, arena);
        }
        for (size_t i = from; i < end; i++)
            if (is_repeat && is_repeat[i - from])
                *arena_push(arena, repeats) = touches[i].key;
            else
                touches[kept++] = touches[i];
    }
    return kept;
}
