/* cap.c: denies a contact that would be one too many.
 *
 * A cap holds in EVERY half-open window [a, a + per) that contains the contact asked for, so
 * contacts planned or sent later than it count as well: looking only backwards breaks the cap when
 * requests arrive out of order. */
#include <stdlib.h>

#include "services/suppression/logic/rules.h"

enum { LIMIT_ABSENT = -1 };

enum { BY_DEPARTMENT, BY_PURPOSE, BY_CAMPAIGN, BY_TAG, BY_NOTHING };

static const struct duration shortest = {60 * US_PER_SECOND}, longest = {400 * US_PER_DAY};

struct cap {
    struct duration per; /* length of the rolling window */
    int32_t limit, limits[PRIORITY_COUNT];
    int by;
};

static const struct cap defaults = {
    .limit = LIMIT_ABSENT, .limits = {LIMIT_ABSENT}, .by = BY_NOTHING};

/* ---- which contacts ---- */

/* Whether the rule would be for the contact. A send that names no class is counted, not overlooked.
 */
static bool is_for_contact(const struct contact_rule *rule, const struct contact *contact)
{
    bool is_classless = rule->classes.count > 0 && contact->class.len == 0;
    struct span class = is_classless ? rule->classes.items[0] : contact->class;
    return rule_is_for_words(rule, contact->channel, class, contact->tags);
}

static bool has_tag(struct span tags, struct span wanted)
{
    return names_contain_tag(&(struct contact_names){&wanted, 1}, tags);
}

/* tag: that the cap is asked about, of BY_TAG. */
static bool is_same_part(const struct cap *cap, const struct contact *contact,
                         const struct contact_fact *request, struct span tag)
{
    switch (cap->by) {
    case BY_DEPARTMENT:
        return span_equal(contact->department, request->department);
    case BY_PURPOSE:
        return span_equal(contact->purpose, request->purpose);
    case BY_CAMPAIGN:
        return span_equal(contact->campaign_id, request->campaign_id);
    case BY_TAG:
        return has_tag(contact->tags, tag);
    default:
        return true;
    }
}

static bool is_counted(const struct contact_rule *rule, const struct contact *contact,
                       const struct contact_fact *request, struct span tag)
{
    return is_for_contact(rule, contact) && is_same_part(rule->own, contact, request, tag);
}

/* What the cap counts by, as the request names it. */
static struct span part_of(const struct cap *cap, const struct contact_fact *request,
                           struct span tag)
{
    const struct span parts[] = {[BY_DEPARTMENT] = request->department,
                                 [BY_PURPOSE] = request->purpose,
                                 [BY_CAMPAIGN] = request->campaign_id,
                                 [BY_TAG] = tag,
                                 [BY_NOTHING] = SPAN_NONE};
    return parts[cap->by];
}

static struct times made_of(const struct contact_rule *rule, const struct question *q,
                            struct span tag)
{
    const struct counted_key key = {rule, hash128(part_of(rule->own, q->request, tag))};
    struct times *times = contacts_counted(q->contacts, &key);
    if (times)
        return *times;
    times = contacts_put_counted(q->contacts, &key);
    for (size_t i = 0; i < q->contacts->made.count; i++) {
        const struct contact *contact = &q->contacts->made.items[i];
        if (is_counted(rule, contact, q->request, tag))
            times->items[times->count++] = contact->at;
    }
    return *times;
}

/* The first that is later than the instant. */
static size_t first_after(const struct times *times, struct instant at)
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

static void insert(struct times *times, struct instant at)
{
    size_t i = times->count++;
    for (; i > 0 && instant_compare(at, times->items[i - 1]) < 0; i--)
        times->items[i] = times->items[i - 1];
    times->items[i] = at;
}

static void add_reserved(const struct contact_rule *rule, const struct question *q, struct span tag,
                         struct instant after, struct times *times)
{
    const struct contact_list *reserved = &q->contacts->reserved;
    for (size_t i = reserved->count; i-- > 0;) {
        const struct contact *c = &reserved->items[i];
        if (instant_compare(c->at, after) <= 0)
            break;
        if (contact_is_held(c, q->at, q->now) && !id_equal(&c->request_id, &q->request->event_id) &&
            is_counted(rule, c, q->request, tag))
            insert(times, c->at);
    }
}

/* Without the contact that the request itself led to. */
static void drop_own(const struct contact_rule *rule, const struct question *q, struct span tag,
                     struct times *times)
{
    struct contact own;
    if (!contacts_made(q->contacts, &q->request->event_id, &own) ||
        !is_counted(rule, &own, q->request, tag))
        return;
    size_t next = first_after(times, own.at);
    if (next == 0)
        return; /* too early to be among them */
    memmove(&times->items[next - 1], &times->items[next],
            (times->count - next) * sizeof *times->items);
    times->count--;
}

/* Those that can share a window with a contact at planned_at or later; in the contacts' own room,
 * of one question at a time. */
static struct times times_of(const struct contact_rule *rule, const struct question *q,
                             struct span tag)
{
    if (q->contacts == NULL)
        return (struct times){NULL, 0};
    const struct cap *cap = rule->own;
    struct instant after = instant_minus(q->planned_at, cap->per);
    struct times made = made_of(rule, q, tag), times = {q->contacts->times, 0};
    size_t first = first_after(&made, after);
    times.count = made.count - first;
    if (times.count > 0)
        memcpy(times.items, made.items + first, times.count * sizeof *times.items);
    drop_own(rule, q, tag, &times);
    add_reserved(rule, q, tag, after, &times);
    return times;
}

/* ---- what they close ---- */

/* Most contacts in any window of length per that contains `at`, with one more contact at `at`. A
 * window with the most contacts can be slid to the right until it starts at a contact (or at `at`
 * itself). So it is enough to try those starts in (at - per, at]. */
static int32_t most_in_a_window(const struct times *times, struct duration per, struct instant at)
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

struct closings {
    struct closing *items;
    size_t count, capacity;
};

/* Both ends must not fall from call to call. */
static void add_closing(struct closings *out, struct arena *arena, struct closing closing)
{
    struct closing *last = out->count ? &out->items[out->count - 1] : NULL;
    if (last && instant_compare(closing.from, last->until) <= 0) {
        if (instant_compare(closing.until, last->until) > 0)
            last->until = closing.until;
        return;
    }
    *arena_push(arena, out) = closing;
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
        size_t last = first_after(rows->times, enters) - 1, full = last;
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
static void close_full_windows(const struct times *times, int32_t limit, struct duration per,
                               struct arena *arena, struct closings *out)
{
    struct rows rows = {times, (size_t)limit, per};
    if (limit == 0)
        add_closing(out, arena, (struct closing){INSTANT_FIRST, INSTANT_NEVER});
    for (size_t row = rows.limit - 1; limit > 0 && row < times->count; row++) {
        if (!fills_a_window(&rows, row))
            continue;
        struct instant enters = instant_minus(times->items[row], per);
        struct instant from = instant_plus(enters, (struct duration){1});
        add_closing(out, arena, (struct closing){from, closed_until(&rows, &row)});
    }
}

static int closing_compare(const void *a, const void *b)
{
    return instant_compare(((const struct closing *)a)->from, ((const struct closing *)b)->from);
}

/* Where either is closed. */
static struct closings unite(const struct closings *a, const struct closings *b,
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
        add_closing(&out, arena, all.items[i]);
    return out;
}

/* ---- the answer ---- */

static int32_t limit_for(const struct cap *cap, const struct contact_fact *request)
{
    return cap->limit != LIMIT_ABSENT ? cap->limit : cap->limits[contact_priority(request)];
}

static const char *length_text(struct arena *arena, struct duration d)
{
    if (d.us % US_PER_DAY == 0)
        return arena_printf(arena, "%lld d", (long long)(d.us / US_PER_DAY));
    if (d.us % (3600 * US_PER_SECOND) == 0)
        return arena_printf(arena, "%lld h", (long long)(d.us / (3600 * US_PER_SECOND)));
    return arena_printf(arena, "%lld s", (long long)(d.us / US_PER_SECOND));
}

/* What the cap says of the contacts of one part: all, or those with a tag. */
struct fullness {
    struct closings closings;
    int32_t most; /* with this contact, in any window around it; 0: nothing was asked */
};

static void ask_part(const struct contact_rule *rule, const struct question *q, struct span tag,
                     struct fullness *fullness)
{
    const struct cap *cap = rule->own;
    struct times times = times_of(rule, q, tag);
    struct closings closings = {0};
    int32_t most = most_in_a_window(&times, cap->per, q->planned_at);
    close_full_windows(&times, limit_for(cap, q->request), cap->per, q->arena, &closings);
    fullness->most = most > fullness->most ? most : fullness->most;
    fullness->closings =
        fullness->most ? unite(&fullness->closings, &closings, q->arena) : closings;
}

/* Each tag of the request has a cap of its own, of a rule for some tags each of those. */
static void ask_tags(const struct contact_rule *rule, const struct question *q,
                     struct fullness *fullness)
{
    struct span tags = q->request->tags, tag;
    while (next_word(&tags, '\n', &tag))
        if (rule->tags.count == 0 || names_contain(&rule->tags, tag))
            ask_part(rule, q, tag, fullness);
}

static void ask_parts(const struct contact_rule *rule, const struct question *q,
                      struct fullness *fullness)
{
    const struct cap *cap = rule->own;
    if (cap->by == BY_TAG)
        ask_tags(rule, q, fullness);
    else if (cap->by != BY_CAMPAIGN || q->request->campaign_id.len > 0)
        ask_part(rule, q, SPAN_NONE, fullness);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    static const struct closing none;
    const struct cap *cap = rule->own;
    struct fullness fullness = {0};
    finding->allowed = span_of(arena_printf(q->arena, "%d per %s", limit_for(cap, q->request),
                                            length_text(q->arena, cap->per)));
    if (q->obeys_caps)
        ask_parts(rule, q, &fullness);
    finding->closings = fullness.closings.count ? fullness.closings.items : &none;
    finding->closing_count = fullness.closings.count;
    if (!q->obeys_caps)
        finding->observed = SPAN("class is exempt");
    else if (fullness.most == 0)
        finding->observed = cap->by == BY_TAG ? SPAN("no tag") : SPAN("no campaign");
    else
        finding->observed = span_of(arena_printf(q->arena, "%d with this one", fullness.most));
}

static const char *check(const struct contact_rule *rule)
{
    const struct cap *cap = rule->own;
    if (cap->per.us < shortest.us)
        return "per: at least PT1M";
    if (cap->per.us > longest.us)
        return "per: at most P400D";
    return (cap->limit == LIMIT_ABSENT) == (cap->limits[0] == LIMIT_ABSENT)
               ? "a cap needs either limit or limit_by_priority"
               : NULL;
}

static const char *doubt(const struct contact_rule *rule)
{
    const struct cap *cap = rule->own;
    for (int i = 1; cap->limit == LIMIT_ABSENT && i < PRIORITY_COUNT; i++)
        if (cap->limits[i] < cap->limits[i - 1])
            return "\"limit_by_priority\" falls: of a higher priority fewer contacts are allowed";
    return NULL;
}

static const struct rule_key keys[] = {
    {.name = "per",
     KEY_DURATION,
     .is_required = true,
     .is_positive = true,
     .offset = offsetof(struct cap, per)},
    {.name = "by",
     KEY_CHOICE,
     .words = "department|purpose|campaign|tag",
     .offset = offsetof(struct cap, by)},
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
    .exempts = true,
    .keys = keys,
    .own_size = sizeof(struct cap),
    .own_defaults = &defaults,
    .check = check,
    .doubt = doubt,
    .ask = ask,
};
