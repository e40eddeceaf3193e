/* pause.c: denies while the customer asked for silence: "again in March". */
#include "common/words/preferences.h"
#include "services/suppression/logic/rules.h"

/* Pauses of a key: the channel, or all. What others said in the customer's name is kept apart, so
 * that it never shortens what the customer said. */
enum { OF_CHANNEL, OF_ALL, OF_COUNT };
enum { SAID_BY_CUSTOMER, SAID_BY_OTHERS, SAID_COUNT };

struct pause {
    const struct contact_fact *fact; /* the newest; NULL: none */
    struct instant until;
};

struct pauses {
    struct pause items[SAID_COUNT][OF_COUNT];
    struct instant ended_at; /* the newest end */
};

/* A date begins at its midnight, in the latest zone where the customer may be; in UTC where the
 * policy keeps no zones. A pause alone is no reason to keep them: of each touchpoint they cost more
 * than the few hours are worth. */
static struct instant date_of(const struct question *q, struct span text)
{
    struct instant at = INSTANT_FIRST, latest = INSTANT_FIRST;
    const struct whereabouts *where = question_where(q);
    instant_parse(span_of(arena_printf(q->arena, SPAN_FMT "T00:00:00Z", SPAN_ARG(text))), &at);
    for (size_t i = 0; i < where->count; i++) {
        struct instant midnight = zone_midnight(where->zones[i], instant_day(at, 0));
        latest = instant_compare(midnight, latest) > 0 ? midnight : latest;
    }
    return where->count > 0 ? latest : at;
}

static struct instant time_of(const struct question *q, struct span text)
{
    struct instant at = INSTANT_FIRST;
    if (text.len == 10)
        return date_of(q, text);
    instant_parse(text, &at);
    return at;
}

static bool names_channel(const struct question *q, struct preference channels)
{
    struct span sent, channel;
    while (preference_field(&channels, &sent))
        if (policy_channel(q->policy, sent, &channel) && span_equal(channel, q->request->channel))
            return true;
    return false;
}

static void begin(const struct question *q, const struct contact_fact *fact,
                  struct preference fields, struct pauses *pauses)
{
    struct span until = SPAN_NONE;
    preference_field(&fields, &until);
    bool is_for_all = fields.rest.len == 0;
    if (!is_for_all && !names_channel(q, fields))
        return;
    int by = contact_is_copy(fact) ? SAID_BY_OTHERS : SAID_BY_CUSTOMER;
    pauses->items[by][is_for_all ? OF_ALL : OF_CHANNEL] = (struct pause){fact, time_of(q, until)};
}

/* Only the customer ends pauses. */
static void end(const struct contact_fact *fact, struct pauses *pauses)
{
    struct instant at = contact_frees_at(fact);
    if (!(fact->flags & (CONTACT_IS_COPY | CONTACT_IS_NOT_SAID)) &&
        instant_compare(at, pauses->ended_at) > 0)
        pauses->ended_at = at;
}

static struct pauses pauses_of(const struct question *q)
{
    struct pauses pauses = {.ended_at = INSTANT_FIRST};
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *fact = q->ledger->facts[i];
        struct preference pause;
        if (fact->preferences.len == 0 ||
            !preference_find(fact->preferences, SPAN("pause"), &pause))
            continue;
        if (pause.rest.len > 0)
            begin(q, fact, pause, &pauses);
        else
            end(fact, &pauses);
    }
    return pauses;
}

static const struct pause *longest(const struct pauses *pauses)
{
    const struct pause *best = NULL;
    for (size_t i = 0; i < SAID_COUNT * OF_COUNT; i++) {
        const struct pause *one = &pauses->items[i / OF_COUNT][i % OF_COUNT];
        if (one->fact && instant_compare(pauses->ended_at, one->fact->at) <= 0 &&
            (best == NULL || instant_compare(one->until, best->until) > 0))
            best = one;
    }
    return best;
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    struct pauses pauses = pauses_of(q);
    const struct pause *pause = longest(&pauses);
    char time[32];
    finding->allowed = SPAN("no pause");
    finding->observed = SPAN("none");
    if (pause == NULL)
        return;
    instant_format(pause->until, time);
    finding->observed = span_of(arena_printf(q->arena, "paused until %s", time));
    finding->passed = instant_compare(pause->until, q->planned_at) <= 0;
    finding->opens = pause->until;
    if (!contact_is_copy(pause->fact))
        finding->since = pause->fact->at;
}

const struct rule_kind rule_pause = {
    .name = "pause",
    .says = "the customer asked us to pause ({observed})",
    .cause = "pause",
    .revokes = REVOKES_ON_SIGNAL,
    .binds_named = true,
    .ask = ask,
};
