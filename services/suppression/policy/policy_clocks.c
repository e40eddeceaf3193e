/* policy_clocks.c: zones, calendars, booking, and hours of the day; see policy_clocks.h. */
#include "services/suppression/policy/policy_clocks.h"

#include <stdlib.h>

#include "common/base/nearest.h"
#include "services/suppression/policy/policy_words.h"
#include "services/suppression/policy/suppression_policy.h"

enum { MOST_CALENDARS = 32, MOST_DATES = 400 };

static const char *const day_names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday",    NULL};

/* ---- sections ---- */

static enum outcome check_length(const struct json *section, const char *key,
                                 struct duration length, int64_t least, int64_t most,
                                 const char *range, struct err *err)
{
    return length.us >= least && length.us <= most
               ? OUTCOME_OK
               : json_fail(json_get(section, key), err, "%s", range);
}

static enum outcome read_zones(struct arena *arena, const struct json *root,
                               struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    policy->zones_memory = (struct duration){30 * US_PER_DAY};
    CHECK(json_section(root, "zones", &section, err));
    if (section == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(section, "", "unknown memory", err));
    CHECK(policy_read_names(arena, section, "unknown", &policy->zones_unknown, err));
    CHECK(json_duration(section, "memory", &policy->zones_memory, err));
    return check_length(section, "memory", policy->zones_memory, US_PER_DAY, 365 * US_PER_DAY,
                        "P1D to P365D", err);
}

static enum outcome read_booking(const struct json *root, struct contact_policy *policy,
                                 struct err *err)
{
    const struct json *section = NULL;
    policy->booking_most = (struct duration){30 * US_PER_DAY};
    policy->booking_least = (struct duration){15 * 60 * US_PER_SECOND};
    CHECK(json_section(root, "booking", &section, err));
    if (section == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(section, "", "most least", err));
    CHECK(json_duration(section, "most", &policy->booking_most, err));
    CHECK(json_duration(section, "least", &policy->booking_least, err));
    CHECK(check_length(section, "most", policy->booking_most, US_PER_DAY, 400 * US_PER_DAY,
                       "P1D to P400D", err));
    return check_length(section, "least", policy->booking_least, 0, US_PER_DAY, "PT0S to P1D", err);
}

/* YYYY-MM-DD of a day that there is. */
static enum outcome read_date(struct arena *arena, const struct json *value, int32_t *out,
                              struct err *err)
{
    struct span text = SPAN_NONE;
    struct instant at;
    CHECK(json_as_text(value, &text, err));
    const char *midnight = arena_printf(arena, SPAN_FMT "T00:00:00Z", SPAN_ARG(text));
    if (text.len != 10 || !instant_parse(span_of(midnight), &at))
        return json_fail(value, err, "expected a date, YYYY-MM-DD");
    *out = instant_day(at, 0);
    return OUTCOME_OK;
}

static int date_compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static enum outcome read_calendar(struct arena *arena, const struct json *entry,
                                  struct contact_calendar *out, struct err *err)
{
    size_t count = json_count(entry);
    if (json_shape(entry) != SHAPE_LIST)
        return json_fail(entry, err, "expected a list of dates");
    if (count == 0 || count > MOST_DATES)
        return json_fail(entry, err, "1 to %d dates", MOST_DATES);
    *out = (struct contact_calendar){json_key(entry), arena_array(arena, int32_t, count), count};
    for (size_t i = 0; i < count; i++)
        CHECK(read_date(arena, json_at(entry, i), &out->dates[i], err));
    qsort(out->dates, count, sizeof *out->dates, date_compare);
    return OUTCOME_OK;
}

static enum outcome read_all_calendars(struct arena *arena, const struct json *root,
                                       struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    CHECK(json_section(root, "calendars", &section, err));
    if (json_count(section) > MOST_CALENDARS)
        return json_fail(section, err, "at most %d calendars", MOST_CALENDARS);
    policy->calendars = arena_array(arena, struct contact_calendar, json_count(section));
    for (; policy->calendar_count < json_count(section); policy->calendar_count++)
        CHECK(read_calendar(arena, json_at(section, policy->calendar_count),
                            &policy->calendars[policy->calendar_count], err));
    return OUTCOME_OK;
}

enum outcome policy_read_clocks(struct arena *arena, const struct json *root,
                                struct contact_policy *policy, struct err *err)
{
    CHECK(read_zones(arena, root, policy, err));
    CHECK(read_booking(root, policy, err));
    return read_all_calendars(arena, root, policy, err);
}

/* ---- keys of rules ---- */

static int digit(struct span text, size_t at)
{
    return text.ptr[at] >= '0' && text.ptr[at] <= '9' ? text.ptr[at] - '0' : 100;
}

enum outcome policy_read_hour(const struct json *object, const char *key, int32_t *out,
                              struct err *err)
{
    const struct json *value = json_get(object, key);
    struct span text = SPAN_NONE;
    CHECK(json_text(object, key, &text, err));
    if (text.ptr == NULL)
        return OUTCOME_OK;
    bool is_time = text.len == 5 && text.ptr[2] == ':';
    int hour = is_time ? digit(text, 0) * 10 + digit(text, 1) : 100,
        minute = is_time ? digit(text, 3) * 10 + digit(text, 4) : 100;
    if (hour > 23 || minute > 59)
        return json_fail(value, err, "expected HH:MM, 00:00 to 23:59");
    *out = (hour * 60 + minute) * 60;
    return OUTCOME_OK;
}

static enum outcome read_day(const struct json *value, int *days, struct err *err)
{
    struct span name = SPAN_NONE;
    CHECK(json_as_text(value, &name, err));
    struct nearest nearest = nearest_start(name, NEAREST_ANY);
    for (int day = 0; day_names[day]; day++) {
        nearest_consider(&nearest, span_of(day_names[day]));
        if (span_is(name, day_names[day])) {
            *days |= 1 << day;
            return OUTCOME_OK;
        }
    }
    return policy_unknown_name(value, "day", &nearest, err);
}

enum outcome policy_read_days(const struct json *object, const char *key, int *out, struct err *err)
{
    const struct json *list = NULL;
    int days = 0;
    CHECK(json_list(object, key, &list, err));
    if (list == NULL)
        return OUTCOME_OK;
    if (json_count(list) == 0)
        return json_fail(list, err, "an empty list would never match; leave it out");
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_day(json_at(list, i), &days, err));
    *out = days;
    return OUTCOME_OK;
}

enum outcome policy_read_windows(struct arena *arena, const struct json *object, const char *key,
                                 struct rule_windows *out, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, key, &list, err));
    if (list == NULL)
        return OUTCOME_OK;
    if (json_count(list) == 0 || json_count(list) > HOURS_MOST_WINDOWS)
        return json_fail(list, err, "1 to %d windows", HOURS_MOST_WINDOWS);
    out->items = arena_array(arena, struct hours_window, json_count(list));
    for (; out->count < json_count(list); out->count++) {
        const struct json *entry = json_at(list, out->count);
        struct hours_window *window = &out->items[out->count];
        window->days = HOURS_EVERY_DAY;
        CHECK(json_check_keys(entry, "from to", "days", err));
        CHECK(policy_read_hour(entry, "from", &window->from, err));
        CHECK(policy_read_hour(entry, "to", &window->to, err));
        CHECK(policy_read_days(entry, "days", &window->days, err));
    }
    return OUTCOME_OK;
}

static enum outcome unknown_calendar(const struct json *at, const struct contact_policy *policy,
                                     struct span name, struct err *err)
{
    struct nearest nearest = nearest_start(name, NEAREST_ANY);
    for (size_t i = 0; i < policy->calendar_count; i++)
        nearest_consider(&nearest, policy->calendars[i].name);
    return nearest.name.ptr
               ? policy_unknown_name(at, "calendar", &nearest, err)
               : json_fail(at, err, "unknown calendar \"" SPAN_FMT "\"", SPAN_ARG(name));
}

enum outcome policy_read_calendars(struct arena *arena, const struct json *object, const char *key,
                                   const struct contact_policy *policy, struct rule_dates *out,
                                   struct err *err)
{
    struct contact_names names = {0};
    CHECK(policy_read_names(arena, object, key, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        const struct contact_calendar *calendar = policy_calendar(policy, names.items[i]);
        if (calendar == NULL)
            return unknown_calendar(json_at(json_get(object, key), i), policy, names.items[i], err);
        for (size_t day = 0; day < calendar->count; day++)
            *arena_push(arena, out) = calendar->dates[day];
    }
    return OUTCOME_OK;
}

/* ---- zones ---- */

enum outcome policy_check_zones(const struct json *root, struct contact_policy *policy,
                                struct err *err)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct contact_rule *rule = &policy->rules[i];
        bool asks = rule->kind->asks_zones && rule->kind->asks_zones(rule);
        policy->asks_zones = policy->asks_zones || asks;
        if (asks && policy->zones_unknown.count == 0)
            return json_fail(root, err,
                             "rule \"" SPAN_FMT "\" needs zones.unknown: countries or zones where "
                             "a customer may be of whom nothing is known",
                             SPAN_ARG(rule->id));
    }
    return OUTCOME_OK;
}

static bool is_country(struct span name)
{
    return name.len == 2 && name.ptr[0] >= 'A' && name.ptr[0] <= 'Z' && name.ptr[1] >= 'A' &&
           name.ptr[1] <= 'Z';
}

static enum outcome check_country(const struct zone_book *book, const char *place,
                                  struct span country, struct err *err)
{
    return zone_country_find(&book->countries, country)
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "policy_invalid",
                         "contact.json: %s: country \"" SPAN_FMT "\" has no time zone", place,
                         SPAN_ARG(country));
}

static enum outcome check_zone(const struct zone_book *book, struct span name, struct err *err)
{
    if (zone_set_find(&book->set, name))
        return OUTCOME_OK;
    struct span nearest = zone_set_nearest(&book->set, name);
    return err_set(err, OUTCOME_FATAL, "policy_invalid",
                   "contact.json: zones.unknown: unknown time zone \"" SPAN_FMT
                   "\" in tzdata " SPAN_FMT "%s" SPAN_FMT "%s",
                   SPAN_ARG(name), SPAN_ARG(book->version), nearest.ptr ? ", did you mean \"" : "",
                   SPAN_ARG(nearest), nearest.ptr ? "\"?" : "");
}

static enum outcome check_countries(struct arena *arena, const struct zone_book *book,
                                    const struct contact_rule *rule, struct err *err)
{
    const struct contact_names *names = rule->kind->countries(rule);
    const char *place = arena_printf(arena, "rule \"" SPAN_FMT "\"", SPAN_ARG(rule->id));
    for (size_t i = 0; i < names->count; i++)
        CHECK(check_country(book, place, names->items[i], err));
    return OUTCOME_OK;
}

enum outcome suppression_policy_set_zones(struct arena *arena, struct contact_policy *policy,
                                          const struct zone_book *book, struct err *err)
{
    policy->zone_book = book;
    for (size_t i = 0; i < policy->zones_unknown.count; i++) {
        struct span name = policy->zones_unknown.items[i];
        CHECK(is_country(name) ? check_country(book, "zones.unknown", name, err)
                               : check_zone(book, name, err));
    }
    for (size_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].kind->countries)
            CHECK(check_countries(arena, book, &policy->rules[i], err));
    return OUTCOME_OK;
}
