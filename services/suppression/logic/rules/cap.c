/* cap.c: denies a contact that would be one too many.
 *
 * A cap holds in EVERY half-open window [a, a + per) that contains the contact asked for, so
 * contacts planned or sent later than it count as well: looking only backwards breaks the cap when
 * requests arrive out of order. */
#include "services/suppression/logic/rules.h"

enum { LIMIT_ABSENT = -1 };

enum { BY_DEPARTMENT, BY_NOTHING };

struct cap {
    struct duration per; /* length of the rolling window */
    int32_t limit, limits[PRIORITY_COUNT];
    int by;
};

static const struct cap defaults = {
    .limit = LIMIT_ABSENT, .limits = {LIMIT_ABSENT}, .by = BY_NOTHING};

/* Times of the contacts that the cap counts together with the request, in order. */
struct times {
    struct instant *items;
    size_t count;
};

static bool is_counted(const struct contact_rule *rule, const struct contact *contact,
                       const struct contact_fact *request)
{
    const struct cap *cap = rule->own;
    struct contact_fact like = {
        .channel = contact->channel, .class = contact->class, .tags = contact->tags};
    if (rule->classes.count > 0 && contact->class.len == 0)
        /* a send that names no class is counted, not overlooked */
        like.class = rule->classes.items[0];
    if (!rule_is_for(rule, &like))
        return false;
    return cap->by != BY_DEPARTMENT || span_equal(contact->department, request->department);
}

static struct times times_of(const struct contact_rule *rule, const struct question *q)
{
    const struct contacts *contacts = &q->contacts;
    struct times times = {arena_array(q->arena, struct instant, contacts->count + 1), 0};
    for (size_t i = 0; i < contacts->count; i++)
        if (is_counted(rule, &contacts->items[i], q->request))
            times.items[times.count++] = contacts->items[i].at;
    return times;
}

/* Most contacts in any window of length per that contains `at`, with one more contact at `at`. A
 * window with the most contacts can be slid to the right until it starts at a contact (or at `at`
 * itself). So it is enough to try those starts in (at - per, at]. */
static int32_t most_in_a_window(const struct times *times, struct duration per, struct instant at)
{
    struct instant first = instant_minus(at, per);
    size_t from = 0, to = 0;
    while (from < times->count && instant_compare(times->items[from], first) <= 0)
        from++;
    int32_t most = 1;
    for (size_t start = from; start <= times->count; start++) {
        bool is_contact = start < times->count && instant_compare(times->items[start], at) <= 0;
        struct instant begin = is_contact ? times->items[start] : at;
        struct instant end = instant_plus(begin, per);
        while (to < times->count && instant_compare(times->items[to], end) < 0)
            to++;
        int32_t inside = (int32_t)(to - start) + 1;
        most = inside > most ? inside : most;
        if (!is_contact)
            break;
    }
    return most;
}

/* The earliest time from `at` on at which no window would be too full. Where `limit` contacts in a
 * row, the first at a and the last at b, lie within one window, no other contact fits into
 * (b - per, a + per). Both ends grow with the contacts, so one pass over them is enough. */
static struct instant opening(const struct times *times, int32_t limit, struct duration per,
                              struct instant at)
{
    if (limit == 0)
        return INSTANT_NEVER;
    for (size_t last = (size_t)limit - 1; last < times->count; last++) {
        struct instant a = times->items[last + 1 - (size_t)limit], b = times->items[last];
        struct instant leaves = instant_plus(a, per);
        if (instant_compare(b, leaves) < 0 && instant_compare(at, leaves) < 0 &&
            instant_compare(instant_minus(b, per), at) < 0)
            at = leaves;
    }
    return at;
}

static int32_t limit_for(const struct cap *cap, const struct contact_fact *request)
{
    int priority =
        request->priority == CONTACT_PRIORITY_ABSENT ? PRIORITY_NORMAL : request->priority - 1;
    return cap->limit != LIMIT_ABSENT ? cap->limit : cap->limits[priority];
}

static const char *length_text(struct arena *arena, struct duration d)
{
    if (d.us % US_PER_DAY == 0)
        return arena_printf(arena, "%lld d", (long long)(d.us / US_PER_DAY));
    if (d.us % (3600 * US_PER_SECOND) == 0)
        return arena_printf(arena, "%lld h", (long long)(d.us / (3600 * US_PER_SECOND)));
    return arena_printf(arena, "%lld s", (long long)(d.us / US_PER_SECOND));
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct cap *cap = rule->own;
    int32_t limit = limit_for(cap, q->request);
    finding->allowed =
        span_of(arena_printf(q->arena, "%d per %s", limit, length_text(q->arena, cap->per)));
    finding->passed = true;
    if (!q->obeys_caps) {
        finding->observed = SPAN("class is exempt");
        return;
    }
    struct times times = times_of(rule, q);
    int32_t most = most_in_a_window(&times, cap->per, q->planned_at);
    finding->passed = most <= limit;
    finding->observed = span_of(arena_printf(q->arena, "%d with this one", most));
    if (!finding->passed)
        finding->opens = opening(&times, limit, cap->per, q->planned_at);
}

static struct duration window(const struct contact_rule *rule)
{
    return ((const struct cap *)rule->own)->per;
}

static const char *check(const struct contact_rule *rule)
{
    const struct cap *cap = rule->own;
    return (cap->limit == LIMIT_ABSENT) == (cap->limits[0] == LIMIT_ABSENT)
               ? "a cap needs either limit or limit_by_priority"
               : NULL;
}

static const struct rule_key keys[] = {
    {.name = "per",
     KEY_DURATION,
     .is_required = true,
     .is_positive = true,
     .offset = offsetof(struct cap, per)},
    {.name = "by", KEY_CHOICE, .words = "department", .offset = offsetof(struct cap, by)},
    {.name = "on_cap", KEY_RETRY},
    {.name = "limit", KEY_COUNT, .offset = offsetof(struct cap, limit)},
    {.name = "limit_by_priority",
     KEY_COUNTS,
     .words = "low normal high",
     .offset = offsetof(struct cap, limits)},
    {NULL},
};

const struct rule_kind rule_cap = {
    .name = "cap",
    .cause = "merge",
    .revokes = REVOKES_ON_MERGE,
    .keys = keys,
    .own_size = sizeof(struct cap),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
    .window = window,
};
