/* whereabouts.c: see whereabouts.h. */
#include "services/suppression/logic/whereabouts.h"

#include <stdlib.h>

#include "common/base/pack.h"
#include "common/words/preferences.h"

/* More devices than that are no person's. */
enum { MOST_DEVICES = 24, PLACE_MEMORY_DAYS = 365 };

/* Of the contact: in which the clocks are compared. */
static const struct duration before_contact = {US_PER_DAY}, after_contact = {400 * US_PER_DAY};

struct search {
    const struct contact_policy *policy;
    const struct ledger *ledger;
    struct arena *arena;
    int32_t day; /* of the request */
    struct {
        const struct zone_name **items;
        size_t count, capacity;
    } found;
};

static int32_t day_of(const struct contact_fact *request)
{
    return instant_day(request->at, 0);
}

static bool is_since(const struct place *place, enum place_kind kind, int32_t day)
{
    return place->kind == (int16_t)kind && place->last_day >= day;
}

static void add(struct search *search, const struct zone_name *name)
{
    if (name)
        *arena_push(search->arena, &search->found) = name;
}

static void add_named(struct search *search, struct span name)
{
    add(search, zone_set_find(&search->policy->zone_book->set, name));
}

/* False: it is no country with zones. */
static bool add_country(struct search *search, struct span name)
{
    const struct zone_book *book = search->policy->zone_book;
    const struct zone_country *country = zone_country_find(&book->countries, name);
    for (size_t i = 0; country && i < country->count; i++)
        add(search, zone_set_of(&book->set, country->items[i]));
    return country != NULL;
}

/* ---- what is known ---- */

/* The newest that can be read: a name that the time zone database does not have is none. */
static void add_stated(struct search *search)
{
    for (size_t i = search->ledger->fact_count; i-- > 0;) {
        const struct contact_fact *fact = search->ledger->facts[i];
        struct preference zone;
        struct span name;
        if (contact_is_copy(fact) || fact->preferences.len == 0 ||
            !preference_find(fact->preferences, SPAN("time_zone"), &zone))
            continue;
        if (!preference_field(&zone, &name))
            return; /* taken back */
        add_named(search, name);
        if (search->found.count > 0)
            return;
    }
}

static void add_devices(struct search *search, int32_t since)
{
    const struct place_list *places = search->ledger->places;
    for (size_t i = 0; places && i < places->count; i++)
        if (is_since(&places->items[i], PLACE_ZONE, since))
            add_named(search, places->items[i].value);
}

static int32_t last_device_day(const struct place_list *places)
{
    int32_t last = INT32_MIN;
    for (size_t i = 0; places && i < places->count; i++)
        if (places->items[i].kind == PLACE_ZONE && places->items[i].last_day > last)
            last = places->items[i].last_day;
    return last;
}

static void add_countries(struct search *search)
{
    const struct place_list *places = search->ledger->places;
    for (size_t i = 0; places && i < places->count; i++)
        if (is_since(&places->items[i], PLACE_COUNTRY, search->day - PLACE_MEMORY_DAYS) ||
            is_since(&places->items[i], PLACE_PHONE, search->day - PLACE_MEMORY_DAYS))
            add_country(search, places->items[i].value);
}

static void add_unknown(struct search *search)
{
    const struct contact_names *unknown = &search->policy->zones_unknown;
    for (size_t i = 0; i < unknown->count; i++)
        if (!add_country(search, unknown->items[i]))
            add_named(search, unknown->items[i]);
}

/* ---- one of each ---- */

static int by_name(const void *a, const void *b)
{
    return span_compare((*(const struct zone_name *const *)a)->name,
                        (*(const struct zone_name *const *)b)->name);
}

static void sort_found(struct search *search)
{
    const struct zone_name **items = search->found.items;
    size_t kept = 0;
    if (search->found.count > 1)
        qsort(items, search->found.count, sizeof *items, by_name);
    for (size_t i = 0; i < search->found.count; i++)
        if (kept == 0 || items[kept - 1] != items[i])
            items[kept++] = items[i];
    search->found.count = kept;
}

static bool show_the_same(const struct zone *a, const struct zone *b, struct instant from,
                          struct instant until)
{
    for (struct instant at = from;; at = zone_change_after(a, at)) {
        struct instant ends = zone_change_after(a, at), other = zone_change_after(b, at);
        if (zone_offset(a, at) != zone_offset(b, at))
            return false;
        if (instant_compare(ends, until) >= 0 && instant_compare(other, until) >= 0)
            return true;
        if (instant_compare(ends, other) != 0)
            return false;
    }
}

static bool is_told_by_another(const struct zone_name *const *names, size_t count,
                               const struct zone_name *name, struct instant planned_at)
{
    struct instant from = instant_minus(planned_at, before_contact),
                   until = instant_plus(planned_at, after_contact);
    for (size_t i = 0; i < count; i++)
        if (show_the_same(&names[i]->zone, &name->zone, from, until))
            return true;
    return false;
}

static void keep_distinct(struct search *search, struct instant planned_at, struct whereabouts *out)
{
    sort_found(search);
    out->names = arena_array(search->arena, const struct zone_name *, search->found.count);
    out->zones = arena_array(search->arena, const struct zone *, search->found.count);
    for (size_t i = 0; i < search->found.count; i++) {
        const struct zone_name *name = search->found.items[i];
        if (is_told_by_another(out->names, out->count, name, planned_at))
            continue;
        out->names[out->count] = name;
        out->zones[out->count++] = &name->zone;
    }
}

/* ---- the order of what counts ---- */

static struct span unknown_text(const struct search *search)
{
    struct strbuf text = {.arena = search->arena};
    strbuf_addf(&text, "unknown:");
    for (size_t i = 0; i < search->policy->zones_unknown.count; i++)
        strbuf_addf(&text, " " SPAN_FMT, SPAN_ARG(search->policy->zones_unknown.items[i]));
    return strbuf_span(&text);
}

static void forget(struct search *search)
{
    search->found.count = 0;
}

static struct span find_names(struct search *search)
{
    int32_t memory = (int32_t)(search->policy->zones_memory.us / US_PER_DAY);
    add_stated(search);
    if (search->found.count > 0)
        return SPAN("stated");
    add_devices(search, search->day - memory);
    size_t devices = search->found.count;
    if (devices > 0 && devices <= MOST_DEVICES)
        return SPAN("device");
    forget(search);
    if (devices == 0) {
        add_devices(search, last_device_day(search->ledger->places));
        add_countries(search);
    }
    if (search->found.count > 0)
        return SPAN("device or country");
    add_unknown(search);
    return unknown_text(search);
}

struct whereabouts *whereabouts_find(const struct contact_policy *policy,
                                     const struct ledger *ledger,
                                     const struct contact_fact *request, struct instant planned_at,
                                     struct arena *arena)
{
    struct whereabouts *out = arena_new(arena, struct whereabouts);
    struct search search = {policy, ledger, arena, day_of(request), {NULL, 0, 0}};
    *out = (struct whereabouts){.known_by = SPAN("unknown")};
    if (policy->zone_book == NULL)
        return out;
    out->known_by = find_names(&search);
    keep_distinct(&search, planned_at, out);
    return out;
}

/* ---- countries and regions ---- */

/* How many of the kinds there are, and whether one of them is among the names. */
struct naming {
    size_t count;
    bool is_among;
};

static void look(const struct place *place, enum place_kind kind, int32_t since,
                 const struct contact_names *names, struct naming *out)
{
    if (!is_since(place, kind, since))
        return;
    out->count++;
    out->is_among = out->is_among || names_contain(names, place->value);
}

bool whereabouts_may_be_in(const struct ledger *ledger, const struct contact_fact *request,
                           const struct contact_names *countries,
                           const struct contact_names *regions)
{
    const struct place_list *places = ledger->places;
    int32_t since = day_of(request) - PLACE_MEMORY_DAYS;
    struct naming in_countries = {0}, in_regions = {0};
    for (size_t i = 0; places && i < places->count; i++) {
        look(&places->items[i], PLACE_COUNTRY, since, countries, &in_countries);
        look(&places->items[i], PLACE_PHONE, since, countries, &in_countries);
        look(&places->items[i], PLACE_REGION, since, regions, &in_regions);
    }
    if (regions->count > 0 && in_regions.count > 0)
        return in_regions.is_among;
    return countries->count == 0 || in_countries.count == 0 || in_countries.is_among;
}

struct span whereabouts_text(const struct whereabouts *where, struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < where->count; i++)
        strbuf_addf(&text, "%s" SPAN_FMT, i ? " " : "", SPAN_ARG(where->names[i]->name));
    return text.len ? strbuf_span(&text) : SPAN_NONE;
}
