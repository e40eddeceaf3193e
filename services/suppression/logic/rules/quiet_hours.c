/* quiet_hours.c: denies at night and on holidays, by the clock of the customer. */
#include "services/suppression/logic/rules/local_hours.h"

enum { TIME_ABSENT = -1 };

struct quiet_hours {
    struct hours_window window; /* from, to and days */
    struct rule_windows windows;
    int also; /* whole weekdays */
    struct rule_dates dates;
    /* It is for customers who may be there; empty: for all. */
    struct contact_names countries, regions;
};

static const struct quiet_hours defaults = {
    .window = {TIME_ABSENT, TIME_ABSENT, HOURS_EVERY_DAY},
};

static struct hours hours_of(const struct quiet_hours *quiet)
{
    bool has_many = quiet->windows.count > 0;
    return (struct hours){
        .windows = has_many ? quiet->windows.items : &quiet->window,
        .window_count = has_many ? quiet->windows.count : 1,
        .also = quiet->also,
        .dates = quiet->dates.items,
        .date_count = quiet->dates.count,
    };
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct quiet_hours *quiet = rule->own;
    struct hours *hours = arena_new(q->arena, struct hours);
    struct strbuf allowed = {.arena = q->arena};
    if (!whereabouts_may_be_in(q->ledger, q->request, &quiet->countries, &quiet->regions))
        return;
    *hours = hours_of(quiet);
    strbuf_addf(&allowed, "not ");
    local_hours_text(hours, &allowed);
    finding->allowed = strbuf_span(&allowed);
    local_hours_ask(q, hours, false, finding);
}

static const char *check(const struct contact_rule *rule)
{
    const struct quiet_hours *quiet = rule->own;
    struct hours hours = hours_of(quiet);
    bool has_from = quiet->window.from != TIME_ABSENT, has_to = quiet->window.to != TIME_ABSENT,
         has_windows = quiet->windows.count > 0, has_days = quiet->window.days != HOURS_EVERY_DAY;
    if (has_from != has_to || has_from == has_windows || (has_windows && has_days))
        return "either from and to, or windows";
    return hours_are_always(&hours) ? "windows leave no minute of the week" : NULL;
}

static bool asks_zones(const struct contact_rule *rule)
{
    return true;
}

static const struct contact_names *countries(const struct contact_rule *rule)
{
    return &((const struct quiet_hours *)rule->own)->countries;
}

static const struct rule_key keys[] = {
    {.name = "from", KEY_HOUR, .offset = offsetof(struct quiet_hours, window.from)},
    {.name = "to", KEY_HOUR, .offset = offsetof(struct quiet_hours, window.to)},
    {.name = "days", KEY_DAYS, .offset = offsetof(struct quiet_hours, window.days)},
    {.name = "windows", KEY_WINDOWS, .offset = offsetof(struct quiet_hours, windows)},
    {.name = "also", KEY_DAYS, .offset = offsetof(struct quiet_hours, also)},
    {.name = "calendars", KEY_CALENDARS, .offset = offsetof(struct quiet_hours, dates)},
    {.name = "countries", KEY_NAMES, .offset = offsetof(struct quiet_hours, countries)},
    {.name = "regions", KEY_NAMES, .offset = offsetof(struct quiet_hours, regions)},
    {NULL},
};

const struct rule_kind rule_quiet_hours = {
    .name = "quiet_hours",
    .says = "these are quiet hours for the customer ({observed}; allowed is {allowed})",
    .cause = "hours",
    .revokes = REVOKES_ON_HOURS,
    .keys = keys,
    .own_size = sizeof(struct quiet_hours),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
    .asks_zones = asks_zones,
    .countries = countries,
};
