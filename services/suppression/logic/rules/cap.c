/* cap.c: denies a contact that would be one too many. */
#include "services/suppression/logic/rules/calendar.h"
#include "services/suppression/logic/rules/counted.h"
#include "services/suppression/logic/rules/windows.h"

enum { LIMIT_ABSENT = -1 };

enum { SEQUENCES_EACH, SEQUENCES_ONCE };

enum { ZONE_OF_PERSON, ZONE_OF_UTC, ZONE_ABSENT };

enum { WEEK_FROM_MONDAY, WEEK_FROM_SUNDAY, WEEK_ABSENT };

enum { BY_DEPARTMENT, BY_PURPOSE, BY_CAMPAIGN, BY_TAG, BY_NOTHING };

static const struct duration shortest = {60 * US_PER_SECOND}, longest = {400 * US_PER_DAY};

struct cap {
    struct duration per; /* length of the rolling window */
    int calendar;        /* enum calendar_unit: instead of it */
    int zone, week_starts;
    int32_t limit, limits[PRIORITY_COUNT];
    int by;
    int sequences; /* SEQUENCES_ONCE: those of a sequence take one place */
};

static const struct cap defaults = {
    .limit = LIMIT_ABSENT,
    .limits = {LIMIT_ABSENT},
    .by = BY_NOTHING,
    .calendar = CALENDAR_NONE,
    .zone = ZONE_ABSENT,
    .week_starts = WEEK_ABSENT,
};

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

static struct counting counting_of(const struct contact_rule *rule, const struct question *q,
                                   struct span tag)
{
    return (struct counting){rule, part_of(rule->own, q->request, tag), is_counted, NULL};
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

/* Of the contacts that can share a window with one at planned_at or later. */
static int32_t roll(const struct contact_rule *rule, const struct question *q, struct span tag,
                    struct closings *closings)
{
    const struct cap *cap = rule->own;
    const struct counting counting = counting_of(rule, q, tag);
    struct instant after = instant_minus(q->planned_at, cap->per);
    int32_t limit = limit_for(cap, q->request);
    if (cap->sequences == SEQUENCES_ONCE) {
        struct places places = counted_places(&counting, q, after);
        int32_t most = windows_most_places(&places, cap->per, q->planned_at);
        windows_close_places(&places, limit, cap->per, q->arena, closings);
        return most;
    }
    struct times times = counted_times(&counting, q, after);
    windows_close(&times, limit, cap->per, q->arena, closings);
    return windows_most(&times, cap->per, q->planned_at);
}

/* Where its days begin. */
struct cap_zones {
    const struct zone *const *items;
    size_t count;
};

static struct cap_zones zones_of(const struct cap *cap, const struct question *q)
{
    static const struct zone *const utc[] = {&zone_utc};
    if (cap->zone == ZONE_OF_UTC)
        return (struct cap_zones){utc, 1};
    const struct whereabouts *where = question_where(q);
    return where->count > 0 ? (struct cap_zones){where->zones, where->count}
                            : (struct cap_zones){utc, 1};
}

/* Of the contacts in the period of planned_at, or later. */
static int32_t count_days(const struct contact_rule *rule, const struct question *q,
                          struct span tag, struct closings *closings)
{
    const struct cap *cap = rule->own;
    const struct calendar calendar = {cap->calendar, cap->week_starts == WEEK_FROM_SUNDAY};
    const struct counting counting = counting_of(rule, q, tag);
    struct cap_zones zones = zones_of(cap, q);
    struct instant since = calendar_since(&calendar, zones.items, zones.count, q->planned_at),
                   after = instant_minus(since, (struct duration){1});
    struct places places = cap->sequences == SEQUENCES_ONCE ? counted_places(&counting, q, after)
                                                            : counted_each(&counting, q, after);
    return calendar_close(&calendar, zones.items, zones.count, &places, limit_for(cap, q->request),
                          q->planned_at, q->arena, closings);
}

static void ask_part(const struct contact_rule *rule, const struct question *q, struct span tag,
                     struct fullness *fullness)
{
    struct closings closings = {0};
    const struct cap *cap = rule->own;
    int32_t most = cap->calendar == CALENDAR_NONE ? roll(rule, q, tag, &closings)
                                                  : count_days(rule, q, tag, &closings);
    fullness->closings =
        fullness->most ? closings_unite(&fullness->closings, &closings, q->arena) : closings;
    fullness->most = most > fullness->most ? most : fullness->most;
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

static const char *window_text(const struct cap *cap, const struct question *q)
{
    static const char *const units[] = {
        [CALENDAR_DAY] = "day", [CALENDAR_WEEK] = "week", [CALENDAR_MONTH] = "month"};
    return cap->calendar == CALENDAR_NONE ? length_text(q->arena, cap->per) : units[cap->calendar];
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct cap *cap = rule->own;
    struct fullness fullness = {0};
    finding->allowed = span_of(
        arena_printf(q->arena, "%d per %s", limit_for(cap, q->request), window_text(cap, q)));
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
    bool has_per = cap->per.us != 0, has_calendar = cap->calendar != CALENDAR_NONE;
    if (has_per == has_calendar)
        return "a cap needs either per or calendar";
    if (has_per && (cap->zone != ZONE_ABSENT || cap->week_starts != WEEK_ABSENT))
        return "zone and week_starts are for calendar";
    if (has_per && cap->per.us < shortest.us)
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

static bool asks_zones(const struct contact_rule *rule)
{
    const struct cap *cap = rule->own;
    return cap->calendar != CALENDAR_NONE && cap->zone != ZONE_OF_UTC;
}

static const struct rule_key keys[] = {
    {.name = "per", KEY_DURATION, .is_positive = true, .offset = offsetof(struct cap, per)},
    {.name = "by",
     KEY_CHOICE,
     .words = "department|purpose|campaign|tag",
     .offset = offsetof(struct cap, by)},
    {.name = "calendar",
     KEY_CHOICE,
     .words = "day|week|month",
     .offset = offsetof(struct cap, calendar)},
    {.name = "zone", KEY_CHOICE, .words = "person|UTC", .offset = offsetof(struct cap, zone)},
    {.name = "week_starts",
     KEY_CHOICE,
     .words = "monday|sunday",
     .offset = offsetof(struct cap, week_starts)},
    {.name = "sequences",
     KEY_CHOICE,
     .words = "each|once",
     .offset = offsetof(struct cap, sequences)},
    {.name = "limit", KEY_COUNT, .offset = offsetof(struct cap, limit)},
    {.name = "limit_by_priority",
     KEY_COUNTS,
     .words = "low normal high",
     .offset = offsetof(struct cap, limits)},
    {NULL},
};

const struct rule_kind rule_cap = {
    .name = "cap",
    .says = "the customer has had enough contacts lately ({observed}; the limit is {allowed})",
    .cause = "merge",
    .revokes = REVOKES_ON_MERGE,
    .exempts = true,
    .keys = keys,
    .own_size = sizeof(struct cap),
    .own_defaults = &defaults,
    .check = check,
    .doubt = doubt,
    .ask = ask,
    .asks_zones = asks_zones,
};
