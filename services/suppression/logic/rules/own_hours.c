/* own_hours.c: denies outside the hours that the customer asked for. */
#include "common/words/preferences.h"
#include "services/suppression/logic/rules/local_hours.h"

/* HH:MM, as it was kept. */
static int32_t time_of(struct span text)
{
    int32_t digits[4] = {0};
    static const size_t places[] = {0, 1, 3, 4};
    for (size_t i = 0; i < 4 && places[i] < text.len; i++)
        digits[i] = text.ptr[places[i]] - '0';
    return (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60;
}

/* The customer's newest; false: none, or they were taken back. */
static bool newest(const struct question *q, struct hours_window *out)
{
    for (size_t i = q->ledger->fact_count; i-- > 0;) {
        const struct contact_fact *fact = q->ledger->facts[i];
        struct preference hours;
        struct span from = SPAN_NONE, to = SPAN_NONE;
        if (contact_is_copy(fact) || fact->preferences.len == 0 ||
            !preference_find(fact->preferences, SPAN("hours"), &hours))
            continue;
        if (!preference_field(&hours, &from) || !preference_field(&hours, &to))
            return false;
        *out = (struct hours_window){time_of(from), time_of(to), HOURS_EVERY_DAY};
        return true;
    }
    return false;
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    struct hours_window *window = arena_new(q->arena, struct hours_window);
    struct hours *hours = arena_new(q->arena, struct hours);
    struct strbuf allowed = {.arena = q->arena};
    finding->observed = SPAN("no hours");
    if (!newest(q, window))
        return;
    *hours = (struct hours){.windows = window, .window_count = 1};
    local_hours_text(hours, &allowed);
    finding->allowed = strbuf_span(&allowed);
    local_hours_ask(q, hours, true, finding);
}

static bool asks_zones(const struct contact_rule *rule)
{
    return true;
}

const struct rule_kind rule_own_hours = {
    .name = "own_hours",
    .says = "the customer asked for other hours ({observed}; the hours are {allowed})",
    .cause = "hours",
    .revokes = REVOKES_ON_HOURS,
    .ask = ask,
    .asks_zones = asks_zones,
};
