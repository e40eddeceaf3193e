/* cap.c: denies a contact that would be one too many.
 *
 * A cap holds in EVERY half-open window [a, a + per) that contains the contact asked for, so
 * contacts planned or sent later than it count as well: looking only backwards breaks the cap when
 * requests arrive out of order. */
#include "services/suppression/logic/rules/closings.h"
#include "services/suppression/logic/rules/counted.h"

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

static bool has_tag(struct span tags, struct span wanted)
{
    return names_contain_tag(&(struct contact_names){&wanted, 1}, tags);
}

static bool is_same_part(const struct cap *cap, const struct contact *contact, struct span part)
{
    switch (cap->by) {
    case BY_DEPARTMENT:
        return span_equal(contact->department, part);
    case BY_PURPOSE:
        return span_equal(contact->purpose, part);
    case BY_CAMPAIGN:
        return span_equal(contact->campaign_id, part);
    case BY_TAG:
        return has_tag(contact->tags, part);
    default:
        return true;
    }
}

static bool is_counted(const struct counting *counting, const struct contact *contact)
{
    return rule_is_for_contact(counting->rule, contact) &&
           is_same_part(counting->rule->own, contact, counting->part);
}

/* What the cap counts by, as the request names it. tag: that it is asked about, of BY_TAG. */
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

/* Those that can share a window with a contact at planned_at or later. */
static struct times times_of(const struct contact_rule *rule, const struct question *q,
                             struct span tag)
{
    const struct cap *cap = rule->own;
    struct counting counting = {rule, part_of(cap, q->request, tag), is_counted};
    return counted_times(&counting, q, instant_minus(q->planned_at, cap->per));
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
static void close_full_windows(const struct times *times, int32_t limit, struct duration per,
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

/* ---- the answer ---- */

static int32_t limit_for(const struct cap *cap, const struct contact_fact *request)
{
    return cap->limit != LIMIT_ABSENT ? cap->limit : cap->limits[contact_priority(request)];
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
        fullness->most ? closings_unite(&fullness->closings, &closings, q->arena) : closings;
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
    const struct cap *cap = rule->own;
    struct fullness fullness = {0};
    finding->allowed = span_of(arena_printf(q->arena, "%d per %s", limit_for(cap, q->request),
                                            length_text(q->arena, cap->per)));
    if (q->obeys_caps)
        ask_parts(rule, q, &fullness);
    closings_answer(&fullness.closings, finding);
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
