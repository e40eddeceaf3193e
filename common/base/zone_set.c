/* zone_set.c: names of zones; see zone_set.h. */
#include "common/base/zone_set.h"

#include <stdlib.h>

#include "common/base/nearest.h"

static int by_name(const void *a, const void *b)
{
    return span_compare(((const struct zone_name *)a)->name, ((const struct zone_name *)b)->name);
}

static void index_codes(struct zone_set *set, struct arena *arena)
{
    set->code_count = 1;
    for (size_t i = 0; i < set->count; i++)
        if ((size_t)set->names[i].code >= set->code_count)
            set->code_count = (size_t)set->names[i].code + 1;
    set->by_code = arena_array(arena, const struct zone_name *, set->code_count);
    for (size_t i = 0; i < set->count; i++)
        set->by_code[set->names[i].code] = &set->names[i];
}

void zone_set_finish(struct zone_set *set, struct arena *arena, struct zone_name *names,
                     size_t count)
{
    if (count > 0)
        qsort(names, count, sizeof *names, by_name);
    *set = (struct zone_set){.names = names, .count = count};
    index_codes(set, arena);
    for (size_t i = 0; i < count; i++) {
        const struct zone_name *other = zone_set_of(set, names[i].alias_of);
        if (other)
            names[i].zone = other->zone;
    }
}

const struct zone_name *zone_set_find(const struct zone_set *set, struct span name)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = span_compare(set->names[middle].name, name);
        if (c == 0)
            return &set->names[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct zone_country *zone_country_find(const struct zone_countries *countries,
                                             struct span country)
{
    for (size_t i = 0; i < countries->count; i++)
        if (span_equal(countries->items[i].country, country))
            return &countries->items[i];
    return NULL;
}

void zone_country_add(struct zone_countries *countries, struct arena *arena, struct span country,
                      int16_t code)
{
    struct zone_country *known = (struct zone_country *)zone_country_find(countries, country);
    if (known == NULL) {
        known = arena_push(arena, countries);
        *known = (struct zone_country){.country = country};
    }
    *arena_push(arena, known) = code;
}

static char plain(char c)
{
    return c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What stands after the last slash: the city. */
static struct span city(struct span name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/')
            return (struct span){name.ptr + i, name.len - i};
    return name;
}

static bool is_same_city(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (plain(a.ptr[i]) != plain(b.ptr[i]))
            return false;
    return true;
}

struct span zone_set_nearest(const struct zone_set *set, struct span name)
{
    enum { MOST_EDITS = 5 };
    struct nearest nearest = nearest_start(name, MOST_EDITS);
    for (size_t i = 0; i < set->count; i++) {
        if (is_same_city(city(set->names[i].name), city(name)))
            return set->names[i].name;
        nearest_consider(&nearest, set->names[i].name);
    }
    return nearest.name;
}
