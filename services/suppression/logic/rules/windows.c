/* windows.c: see windows.h. */
#include "services/suppression/logic/rules/windows.h"

/* A window with the most contacts can be slid to the right until it starts at a contact, or at `at`
 * itself. So it is enough to try those starts in (at - per, at]. */
int32_t windows_most(const struct times *times, struct duration per, struct instant at)
{
    size_t to = 0;
    int32_t most = 1;
    for (size_t start = 0; start <= times->count; start++) {
        bool is_contact = start < times->count && instant_compare(times->items[start], at) <= 0;
        struct instant begin = is_contact ? times->items[start] : at;
        struct instant end = instant_plus(begin, per);
        while (to < times->count && instant_compare(times->items[to], end) < 0)
            to++;
        int32_t inside = (int32_t)(to - start) + 1;
        most = inside > most ? inside : most;
        if (!is_contact || to == times->count)
            break; /* later starts hold fewer */
    }
    return most;
}

/* Rows of `limit` contacts, one after the other; named by their last contact. */
struct rows {
    const struct times *times;
    size_t limit;
    struct duration per;
};

static struct instant leaves(const struct rows *rows, size_t row)
{
    return instant_plus(rows->times->items[row + 1 - rows->limit], rows->per);
}

static bool fills_a_window(const struct rows *rows, size_t row)
{
    return instant_compare(rows->times->items[row], leaves(rows, row)) < 0;
}

/* How far the closing of *row reaches, together with those that follow without a gap. *row becomes
 * the last row that was looked at: with very many contacts most are jumped over. */
static struct instant closed_until(const struct rows *rows, size_t *row)
{
    struct instant until = leaves(rows, *row);
    for (;;) {
        struct instant enters = instant_minus(instant_plus(until, rows->per), (struct duration){1});
        size_t last = times_first_after(rows->times, enters) - 1, full = last;
        while (full > *row && !fills_a_window(rows, full))
            full--;
        bool is_longer = full > *row;
        *row = last > *row ? last : *row;
        if (!is_longer)
            return until;
        until = leaves(rows, full);
    }
}

/* Where `limit` contacts in a row, the first at a and the last at b, lie within one window, no
 * other contact fits into (b - per, a + per). Both ends grow with the contacts, so one pass over
 * them is enough. */
void windows_close(const struct times *times, int32_t limit, struct duration per,
                   struct arena *arena, struct closings *out)
{
    struct rows rows = {times, (size_t)limit, per};
    if (limit == 0)
        closings_add(out, arena, (struct closing){INSTANT_FIRST, INSTANT_NEVER});
    for (size_t row = rows.limit - 1; limit > 0 && row < times->count; row++) {
        if (!fills_a_window(&rows, row))
            continue;
        struct instant enters = instant_minus(times->items[row], per);
        struct instant from = instant_plus(enters, (struct duration){1});
        closings_add(out, arena, (struct closing){from, closed_until(&rows, &row)});
    }
}

/* ---- places ---- */

/* How many places the contacts that are held take. */
struct holding {
    const struct places *places;
    int32_t count;
};

static void hold(struct holding *holding, size_t contact)
{
    struct placed_contact *items = holding->places->items;
    holding->count += items[items[contact].place].held++ == 0;
}

static void let_go(struct holding *holding, size_t contact)
{
    struct placed_contact *items = holding->places->items;
    holding->count -= --items[items[contact].place].held == 0;
}

/* As windows_most: the windows that start at a contact in (at - per, at], or at `at`. */
int32_t windows_most_places(const struct places *places, struct duration per, struct instant at)
{
    struct holding holding = {places, 0};
    size_t to = 0;
    int32_t most = 1;
    for (size_t start = 0; start <= places->count; start++) {
        bool is_contact =
            start < places->count && instant_compare(places->items[start].at, at) <= 0;
        struct instant end = instant_plus(is_contact ? places->items[start].at : at, per);
        for (; to < places->count && instant_compare(places->items[to].at, end) < 0; to++)
            hold(&holding, to);
        most = holding.count + 1 > most ? holding.count + 1 : most;
        if (!is_contact) {
            for (; start < to; start++)
                let_go(&holding, start);
            break;
        }
        let_go(&holding, start);
    }
    return most;
}

/* For each last contact the latest first one with which `limit` places are taken: where both lie
 * within one window, no other place fits around them. Both ends grow with the contacts. */
void windows_close_places(const struct places *places, int32_t limit, struct duration per,
                          struct arena *arena, struct closings *out)
{
    struct holding holding = {places, 0};
    const struct duration least = {1};
    if (limit == 0)
        closings_add(out, arena, (struct closing){INSTANT_FIRST, INSTANT_NEVER});
    for (size_t first = 0, last = 0; limit > 0 && last < places->count; last++) {
        hold(&holding, last);
        if (holding.count < limit)
            continue;
        /* without the first contact fewer places would be taken: it is the latest one */
        while (holding.count > limit || places->items[places->items[first].place].held > 1)
            let_go(&holding, first++);
        struct instant from = instant_plus(instant_minus(places->items[last].at, per), least),
                       until = instant_plus(places->items[first].at, per);
        if (instant_compare(places->items[last].at, until) < 0)
            closings_add(out, arena, (struct closing){from, until});
    }
}
