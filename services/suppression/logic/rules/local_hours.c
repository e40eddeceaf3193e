/* local_hours.c: see local_hours.h. */
#include "services/suppression/logic/rules/local_hours.h"

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static void add_time(struct strbuf *out, int32_t second)
{
    strbuf_addf(out, "%02d:%02d", second / 3600, second / 60 % 60);
}

void local_hours_text(const struct hours *hours, struct strbuf *out)
{
    for (size_t i = 0; i < hours->window_count; i++) {
        strbuf_addf(out, "%s", i ? ", " : "");
        add_time(out, hours->windows[i].from);
        strbuf_addf(out, "-");
        add_time(out, hours->windows[i].to);
    }
}

/* Of the first zone that refuses, else of the first. */
static size_t telling_zone(const struct clock_rule *clock, struct instant at)
{
    for (size_t i = 0; i < clock->zone_count; i++)
        if (clock_is_closed(clock, clock->zones[i], at))
            return i;
    return 0;
}

/* "22:30+02:00 Wed in Europe/Berlin (device)": so a verdict can be checked without any table. */
static struct span observed(const struct question *q, const struct whereabouts *where,
                            const struct clock_rule *clock)
{
    struct strbuf text = {.arena = q->arena};
    size_t i = telling_zone(clock, q->planned_at);
    struct zone_time shown = zone_time(where->zones[i], q->planned_at);
    int32_t offset = zone_offset(where->zones[i], q->planned_at),
            size = offset < 0 ? -offset : offset;
    add_time(&text, shown.second);
    strbuf_addf(&text, "%c", offset < 0 ? '-' : '+');
    add_time(&text, size);
    strbuf_addf(&text, " %s in " SPAN_FMT, days[day_weekday(shown.day)],
                SPAN_ARG(where->names[i]->name));
    if (where->count > 1)
        strbuf_addf(&text, ", %zu zones", where->count);
    strbuf_addf(&text, " (" SPAN_FMT ")", SPAN_ARG(where->known_by));
    return strbuf_span(&text);
}

void local_hours_ask(const struct question *q, const struct hours *hours, bool is_open_within,
                     struct finding *finding)
{
    const struct whereabouts *where = question_where(q);
    struct clock_rule *clock = arena_new(q->arena, struct clock_rule);
    if (where->count == 0) {
        finding->observed = SPAN("no zone is known");
        finding->passed = false;
        finding->opens = INSTANT_NEVER;
        return;
    }
    *clock = (struct clock_rule){hours, where->zones, where->count, is_open_within};
    finding->clock = clock;
    finding->observed = observed(q, where, clock);
}
