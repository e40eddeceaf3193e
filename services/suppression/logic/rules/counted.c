/* counted.c: see counted.h. */
#include "services/suppression/logic/rules/counted.h"

bool rule_is_for_contact(const struct contact_rule *rule, const struct contact *contact)
{
    bool is_classless = rule->classes.count > 0 && contact->class.len == 0;
    struct span class = is_classless ? rule->classes.items[0] : contact->class;
    return rule_is_for_words(rule, contact->channel, class, contact->tags);
}

size_t times_first_after(const struct times *times, struct instant at)
{
    size_t low = 0, high = times->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (instant_compare(times->items[middle], at) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct counted *read_made(const struct counting *counting, struct contacts *contacts,
                                 const struct counted_key *key)
{
    struct counted *counted = contacts_put_counted(contacts, key);
    for (size_t i = 0; i < contacts->made.count; i++) {
        const struct contact *contact = &contacts->made.items[i];
        if (counting->counts(counting, contact))
            counted->times.items[counted->times.count++] = contact->at;
    }
    return counted;
}

static struct times made_of(const struct counting *counting, struct contacts *contacts)
{
    const struct counted_key key = {counting->rule, hash128(counting->part)};
    struct counted *counted = contacts_counted(contacts, &key);
    if (counted == NULL)
        counted = read_made(counting, contacts, &key);
    for (; counted->added < contacts->added.count; counted->added++) {
        const struct contact *contact = &contacts->added.items[counted->added];
        if (counting->counts(counting, contact))
            counted_insert(contacts, counted, contact->at);
    }
    return counted->times;
}

static void insert(struct times *times, struct instant at)
{
    size_t i = times->count++;
    for (; i > 0 && instant_compare(at, times->items[i - 1]) < 0; i--)
        times->items[i] = times->items[i - 1];
    times->items[i] = at;
}

static void add_reserved(const struct counting *counting, const struct question *q,
                         struct instant after, struct times *times)
{
    const struct contact_list *reserved = &q->contacts->reserved;
    for (size_t i = reserved->count; i-- > 0;) {
        const struct contact *c = &reserved->items[i];
        if (instant_compare(c->at, after) <= 0)
            break;
        if (contact_is_held(c, q->at, q->now) && !id_equal(&c->request_id, &q->request->event_id) &&
            counting->counts(counting, c))
            insert(times, c->at);
    }
}

/* Without the contact that the request itself led to. */
static void drop_own(const struct counting *counting, const struct question *q, struct times *times)
{
    struct contact own;
    if (!contacts_made(q->contacts, &q->request->event_id, &own) ||
        !counting->counts(counting, &own))
        return;
    size_t next = times_first_after(times, own.at);
    if (next == 0)
        return; /* too early to be among them */
    memmove(&times->items[next - 1], &times->items[next],
            (times->count - next) * sizeof *times->items);
    times->count--;
}

struct times counted_times(const struct counting *counting, const struct question *q,
                           struct instant after)
{
    if (q->contacts == NULL)
        return (struct times){NULL, 0};
    struct times made = made_of(counting, q->contacts), times = {q->contacts->times, 0};
    size_t first = times_first_after(&made, after);
    times.count = made.count - first;
    if (times.count > 0)
        memcpy(times.items, made.items + first, times.count * sizeof *times.items);
    drop_own(counting, q, &times);
    add_reserved(counting, q, after, &times);
    return times;
}

/* ---- places ---- */

/* place: of the list so far, none is known. */
static void add_place(const struct counting *counting, const struct question *q,
                      const struct contact *contact, struct places *places)
{
    bool is_own = id_equal(&contact->request_id, &q->request->event_id) ||
                  (!id_is_nil(&q->sequence) && id_equal(&contact->sequence, &q->sequence));
    if (is_own || !counting->counts(counting, contact))
        return;
    size_t i = places->count++;
    for (; i > 0 && instant_compare(contact->at, places->items[i - 1].at) < 0; i--)
        places->items[i] = places->items[i - 1];
    places->items[i] = (struct placed_contact){contact->at, contact->sequence, 0, 0};
}

static size_t first_contact_after(const struct contact_list *list, struct instant after)
{
    size_t i = list->count;
    while (i > 0 && instant_compare(list->items[i - 1].at, after) > 0)
        i--;
    return i;
}

static void share_places(struct places *places, struct arena *arena)
{
    struct map first;
    map_init(&first, arena, sizeof(struct id), sizeof(uint32_t));
    for (uint32_t i = 0; i < places->count; i++) {
        bool is_first = true;
        uint32_t *place = id_is_nil(&places->items[i].sequence)
                              ? NULL
                              : map_put(&first, &places->items[i].sequence, &is_first);
        if (place && is_first)
            *place = i;
        places->items[i].place = place ? *place : i;
    }
}

struct places counted_places(const struct counting *counting, const struct question *q,
                             struct instant after)
{
    struct places places = {NULL, 0};
    if (q->contacts == NULL)
        return places;
    const struct contact_list *made = &q->contacts->made, *reserved = &q->contacts->reserved;
    places.items = q->contacts->placed;
    for (size_t i = first_contact_after(made, after); i < made->count; i++)
        add_place(counting, q, &made->items[i], &places);
    for (size_t i = first_contact_after(reserved, after); i < reserved->count; i++)
        if (contact_is_held(&reserved->items[i], q->at, q->now))
            add_place(counting, q, &reserved->items[i], &places);
    share_places(&places, q->arena);
    return places;
}

struct places counted_each(const struct counting *counting, const struct question *q,
                           struct instant after)
{
    struct times times = counted_times(counting, q, after);
    struct places places = {q->contacts ? q->contacts->placed : NULL, times.count};
    for (size_t i = 0; i < times.count; i++)
        places.items[i] =
            (struct placed_contact){.at = times.items[i], .place = (uint32_t)i, .held = 0};
    return places;
}

const char *length_text(struct arena *arena, struct duration d)
{
    if (d.us % US_PER_DAY == 0)
        return arena_printf(arena, "%lld d", (long long)(d.us / US_PER_DAY));
    if (d.us % (3600 * US_PER_SECOND) == 0)
        return arena_printf(arena, "%lld h", (long long)(d.us / (3600 * US_PER_SECOND)));
    return arena_printf(arena, "%lld s", (long long)(d.us / US_PER_SECOND));
}
