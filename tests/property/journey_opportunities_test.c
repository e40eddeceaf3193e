/* journey_opportunities_test.c: the steps of opportunities, by the automaton that starts again from
 * its packed state after every fact, equal a definition that looks forward from each trigger. What
 * changes when facts come late, or people become one or two, equals a derivation from nothing.
 * Times are whole steps, so that ties, and ends exactly at a fact, are frequent.
 *
 * OPPORTUNITIES_SEED runs one seed, OPPORTUNITIES_SEEDS sets their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/logic/journey_internal.h"
#include "tests/support/journey_documents.h"
#include "tests/support/random.h"

enum { SEEDS = 20000, FACTS_MAX = 14, OFFERS = 4 };
#define HOUR (INT64_C(3600) * US_PER_SECOND)

static struct random dice;

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

/* ---- a world ---- */
enum event { TRIGGER, ENTERING, DONE, CANCEL, ACCEPT, DECLINE, IN, OUT, VISIT, OTHER, BOT, EVENTS };
static const char *const event_names[EVENTS] = {
    "a",   "ain",   "done", "cancel", "Opportunity Accepted", "Opportunity Declined", "in",
    "out", "visit", "e",    "a"};

static const char segments_text[] =
    "{\"segments\":[{\"id\":\"bereaved\",\"when\":{\"open\":{\"events\":[\"in\",\"ain\"]},"
    "\"until\":{\"events\":[\"out\"]}}},{\"id\":\"busy\",\"when\":{\"did\":{\"events\":[\"visit\"]}"
    ",\"within\":\"PT50H\"}}]}";
static const char offers_text[] =
    "{\"never_if\":[\"bereaved\"],\"rules\":["
    "{\"id\":\"life\",\"on\":{\"events\":[\"a\",\"ain\"]},\"cancel_on\":{\"events\":[\"cancel\"]},"
    "\"offers\":["
    "{\"id\":\"home\",\"product\":\"p\",\"owner\":\"o\",\"expires\":\"PT100H\",\"cooling\":\"PT150H"
    "\",\"done_on\":{\"events\":[\"done\"]}},"
    "{\"id\":\"car\",\"product\":\"p\",\"owner\":\"o\",\"expires\":\"PT60H\",\"cooling\":\"PT20H\","
    "\"not_if\":[\"busy\"],\"cancel_on\":{\"events\":[\"visit\"]}}]},"
    "{\"id\":\"again\",\"on\":{\"events\":[\"a\"]},\"offers\":["
    "{\"id\":\"ink\",\"product\":\"p\",\"owner\":\"o\",\"expires\":\"PT100H\",\"done_on\":{"
    "\"events\":[\"a\"]}},"
    "{\"id\":\"other\",\"product\":\"p\",\"owner\":\"o\",\"expires\":\"PT100H\",\"cooling\":"
    "\"PT150H\",\"not_if\":[\"busy\"],\"done_on\":{\"events\":[\"visit\"]}}]}]}";

/* The same offers, in the words of the definition. */
static const struct offer_said {
    int64_t expires, cooling;
    bool on[EVENTS], done[EVENTS], cancel[EVENTS];
    uint32_t not_if;
} said[OFFERS] = {
    {100 * HOUR,
     150 * HOUR,
     {[TRIGGER] = true, [ENTERING] = true},
     {[DONE] = true},
     {[CANCEL] = true},
     1},
    {60 * HOUR,
     20 * HOUR,
     {[TRIGGER] = true, [ENTERING] = true},
     {false},
     {[CANCEL] = true, [VISIT] = true},
     3},
    {100 * HOUR, 0, {[TRIGGER] = true}, {[TRIGGER] = true}, {false}, 1},
    {100 * HOUR, 150 * HOUR, {[TRIGGER] = true}, {[VISIT] = true}, {false}, 3},
};

struct world {
    struct arena arena;
    struct journey_policy policy;
    struct shape shapes[EVENTS];
    struct word_list words;
};

static struct world *world_open(void)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;
    const struct journey_documents documents = {
        .journey = document_of(&w->arena, "a document",
                               "{\"stages\":[],\"attribution\":{\"conversions\":[]}}"),
        .goals = document_of(&w->arena, "a document", "{\"goals\":[]}"),
        .channels = document_of(&w->arena, "a document", "{\"rules\":[]}"),
        .segments = document_of(&w->arena, "a document", segments_text),
        .orchestration = document_of(&w->arena, "a document", offers_text),
    };
    if (journey_policy_read(&w->arena, &documents, &w->policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    assert_int_equal(journey_policy_intern(&w->policy, word_list_intern, &w->words, &err),
                     OUTCOME_OK);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct shape_text text = {.type = SPAN("track"),
                                  .event_name = span_of(event_names[i]),
                                  .source = SPAN("urn:test"),
                                  .channel = SPAN("web"),
                                  .is_bot = i == BOT};
        shape_compile(&w->policy, &text, &w->arena, &w->shapes[i]);
        w->shapes[i].code = i + 1;
    }
    return w;
}

static void world_close(struct world *w)
{
    arena_free(&w->arena);
    free(w);
}

static const struct shape *find_shape(void *context, uint32_t code)
{
    return &((struct world *)context)->shapes[code - 1];
}

/* ---- facts ---- */
struct fact {
    struct touch touch;
    enum event event;
    uint32_t number;      /* tells facts apart */
    uint32_t named;       /* number of the trigger that an answer names */
    uint32_t named_offer; /* and the offer */
    bool is_second;       /* it is known of the second of two people, or late */
};

struct timeline {
    struct fact items[FACTS_MAX];
    size_t count;
};

static struct fact make_fact(const struct world *w, enum event event, int64_t at, uint32_t number)
{
    struct fact fact = {.event = event, .number = number};
    fact.touch = (struct touch){.shape = &w->shapes[event],
                                .value_micros = MICROS_ABSENT,
                                .margin_micros = MICROS_ABSENT,
                                .cost_micros = MICROS_ABSENT,
                                .score = SCORE_ABSENT};
    fact.touch.key.at.us = at;
    fact.touch.key.event_id.bytes[15] = (uint8_t)number;
    fact.touch.key.anchor = 7 + number % 2;
    fact.touch.key.rank = (uint8_t)touch_rank_of(fact.touch.shape, MICROS_ABSENT);
    return fact;
}

static struct id id_of(struct world *w, const struct fact *fact, uint32_t offer)
{
    const struct offer_trigger trigger = {fact->touch.key.at, fact->touch.key.event_id,
                                          fact->touch.key.anchor};
    return opportunity_id(&w->arena, &w->policy.offers, &w->policy.offers.items[offer], &trigger);
}

static int fact_order(const void *a, const void *b)
{
    return touch_key_compare(&((const struct fact *)a)->touch.key,
                             &((const struct fact *)b)->touch.key);
}

/* In order, with the names of the triggers that answers name. */
static void settle(struct world *w, struct timeline *t)
{
    for (size_t i = 0; i < t->count; i++)
        for (size_t j = 0; j < t->count; j++)
            if (t->items[i].touch.shape->answer && t->items[j].number == t->items[i].named) {
                struct id id = id_of(w, &t->items[j], t->items[i].named_offer);
                t->items[i].touch.opportunity = id_half(&id, 0);
            }
    qsort(t->items, t->count, sizeof *t->items, fact_order);
}

/* ---- the definition ---- */
static uint32_t segments_at(const struct timeline *t, size_t seen, int64_t at)
{
    bool bereaved = false, busy = false;
    for (size_t i = 0; i < seen; i++) {
        const struct fact *f = &t->items[i];
        if (f->event == IN || f->event == ENTERING || f->event == OUT)
            bereaved = f->event != OUT;
        busy |= f->event == VISIT && f->touch.key.at.us > at - 50 * HOUR;
    }
    return (bereaved ? 1 : 0) | (busy ? 2 : 0);
}

static uint32_t before(const struct timeline *t, size_t i)
{
    return segments_at(t, i, t->items[i].touch.key.at.us);
}

static uint32_t after(const struct timeline *t, size_t i)
{
    return segments_at(t, i + 1, t->items[i].touch.key.at.us);
}

struct found {
    uint32_t offer;
    size_t covers[FACTS_MAX], cover_count; /* positions of triggers, the first opened it */
    const char *state;
    int64_t accepted, ended; /* -1: not */
    int64_t end_place;       /* twice the position of the fact, and 1 after it; -1: expired */
};

static int64_t opened_at(const struct timeline *t, const struct found *o)
{
    return t->items[o->covers[0]].touch.key.at.us;
}

/* The fact at m names the first trigger, or one of the newest four covered before it. */
static bool names(const struct timeline *t, const struct found *o, size_t m)
{
    size_t known = 0;
    while (known < o->cover_count && o->covers[known] < m)
        known++;
    if (t->items[m].named_offer != o->offer)
        return false;
    for (size_t i = 0; i < known; i++)
        if ((i == 0 || i + OFFER_NAMES_MAX >= known) &&
            t->items[o->covers[i]].number == t->items[m].named)
            return true;
    return false;
}

static void end(struct found *o, const char *state, int64_t at, int64_t place)
{
    o->state = state;
    o->ended = at;
    o->end_place = place;
}

/* Looks for the end from the trigger on, again whenever one more trigger is covered. */
static void look_forward(const struct timeline *t, const struct offer_said *offer, struct found *o)
{
    o->accepted = -1;
    for (size_t m = o->covers[0] + 1; m < t->count; m++) {
        const struct fact *f = &t->items[m];
        int64_t at = f->touch.key.at.us;
        if (at >= opened_at(t, o) + offer->expires)
            break;
        if (offer->done[f->event])
            return end(o, "won", at, 2 * (int64_t)m);
        if (offer->cancel[f->event])
            return end(o, "cancelled", at, 2 * (int64_t)m);
        if (f->event == DECLINE && names(t, o, m))
            return end(o, "declined", at, 2 * (int64_t)m);
        if (f->event == ACCEPT && names(t, o, m) && o->accepted < 0)
            o->accepted = at;
        if (after(t, m) & ~after(t, o->covers[0]) & offer->not_if)
            return end(o, "cancelled", at, 2 * (int64_t)m + 1);
    }
    end(o, "expired", opened_at(t, o) + offer->expires, -1);
}

static bool is_covered(const struct timeline *t, const struct offer_said *offer,
                       const struct found *o, size_t n)
{
    int64_t at = t->items[n].touch.key.at.us;
    bool lives = o->ended > at || (o->ended == at && o->end_place > 2 * (int64_t)n);
    return lives || (strcmp(o->state, "cancelled") != 0 && at < opened_at(t, o) + offer->cooling);
}

static void add_text(const struct timeline *t, const struct found *o, struct strbuf *out)
{
    const char *text = o->state;
    strbuf_addf(out, "%u by %u at %lld: %s, accepted %lld, ended %lld, %zu triggers\n", o->offer,
                t->items[o->covers[0]].number, (long long)(opened_at(t, o) / HOUR), text,
                (long long)(o->accepted < 0 ? -1 : o->accepted / HOUR),
                (long long)(o->ended / HOUR), o->cover_count);
}

static void define_offer(const struct timeline *t, uint32_t index, struct strbuf *out)
{
    const struct offer_said *offer = &said[index];
    struct found o = {.cover_count = 0};
    for (size_t n = 0; n < t->count; n++) {
        if (!offer->on[t->items[n].event])
            continue;
        if (o.cover_count > 0 && is_covered(t, offer, &o, n)) {
            o.covers[o.cover_count++] = n;
            look_forward(t, offer, &o);
            continue;
        }
        if (before(t, n) & offer->not_if)
            continue;
        if (o.cover_count > 0)
            add_text(t, &o, out);
        o = (struct found){.offer = index, .covers = {n}, .cover_count = 1};
        look_forward(t, offer, &o);
    }
    if (o.cover_count > 0)
        add_text(t, &o, out);
}

/* ---- the automaton ---- */
static void restart(struct world *w, struct journey_state *state, struct arena *arena)
{
    struct strbuf packed = {.arena = arena};
    const struct shape_lookup lookup = {find_shape, w};
    uint32_t missing;
    struct err err;
    journey_state_pack(&w->policy, state, &packed);
    if (journey_state_unpack(&w->policy, strbuf_span(&packed), &lookup, arena, state, &missing,
                             &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
}

static void derive(struct world *w, const struct timeline *t, bool restarts,
                   struct journey_state *state, struct journey_effects *effects)
{
    for (size_t i = 0; i < t->count; i++) {
        journey_advance(&w->policy, state, &t->items[i].touch, effects);
        if (restarts)
            restart(w, state, effects->arena);
    }
}

static const struct fact *fact_of(const struct timeline *t, const struct touch_key *key)
{
    for (size_t i = 0; i < t->count; i++)
        if (touch_key_compare(&t->items[i].touch.key, key) == 0)
            return &t->items[i];
    fail_msg("a step of a fact that is not there");
    return NULL;
}

/* Puts the steps of one opportunity together; `opening` is the first. */
static void add_opportunity(struct world *w, const struct timeline *t,
                            const struct opportunity_rows *rows,
                            const struct opportunity_row *opening, struct strbuf *out)
{
    static const char *const states[] = {
        [STEP_WON] = "won", [STEP_CANCELLED] = "cancelled", [STEP_DECLINED] = "declined"};
    struct found o = {.offer = opening->offer, .state = NULL, .accepted = -1};
    const struct fact *trigger = fact_of(t, &opening->by);
    struct id id = id_of(w, trigger, opening->offer);
    assert_true(id_equal(&id, &opening->id));
    for (size_t i = 0; i < rows->count; i++) {
        const struct opportunity_row *row = &rows->items[i];
        if (!id_equal(&row->id, &opening->id))
            continue;
        assert_true(touch_key_compare(&row->by, &opening->by) >= 0);
        if (row->step == STEP_OPENED || row->step == STEP_COVERED)
            o.covers[o.cover_count++] = (size_t)(fact_of(t, &row->by) - t->items);
        else if (row->step == STEP_ACCEPTED)
            o.accepted = row->by.at.us;
        else
            end(&o, states[row->step], row->by.at.us, 0);
    }
    o.covers[0] = (size_t)(trigger - t->items);
    if (o.state == NULL)
        end(&o, "expired", opened_at(t, &o) + said[o.offer].expires, -1);
    add_text(t, &o, out);
}

static const char *rows_text(struct world *w, const struct timeline *t,
                             const struct opportunity_rows *rows, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    for (uint32_t offer = 0; offer < OFFERS; offer++)
        for (size_t i = 0; i < t->count; i++)
            for (size_t j = 0; j < rows->count; j++)
                if (rows->items[j].step == STEP_OPENED && rows->items[j].offer == offer &&
                    touch_key_compare(&rows->items[j].by, &t->items[i].touch.key) == 0)
                    add_opportunity(w, t, rows, &rows->items[j], &out);
    pack_byte(&out, 0);
    return out.ptr;
}

static const char *defined_text(const struct timeline *t, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    for (uint32_t offer = 0; offer < OFFERS; offer++)
        define_offer(t, offer, &out);
    pack_byte(&out, 0);
    return out.ptr;
}

static void expect(const char *what, const char *wanted, const char *got)
{
    if (strcmp(wanted, got) != 0)
        fail_msg("%s\nwanted\n%sgot\n%s", what, wanted, got);
}

static void compare(struct world *w, const struct timeline *t, struct arena *arena,
                    const char *what)
{
    const char *wanted = defined_text(t, arena);
    for (int restarts = 0; restarts < 2; restarts++) {
        struct journey_state state;
        struct journey_effects effects;
        journey_effects_init(&effects, arena);
        journey_state_init(&state, arena);
        derive(w, t, restarts, &state, &effects);
        expect(what, wanted, rows_text(w, t, &effects.opportunities, arena));
    }
}

/* ---- what changes ---- */
static bool same_step(const struct opportunity_row *a, const struct opportunity_row *b)
{
    return id_equal(&a->id, &b->id) && a->step == b->step && touch_key_compare(&a->by, &b->by) == 0;
}

/* As the store does: what is removed goes before what is written. */
static void apply(struct opportunity_rows *rows, const struct journey_effects *effects,
                  struct arena *arena)
{
    const struct opportunity_rows *removed = &effects->opportunities_removed,
                                  *written = &effects->opportunities;
    for (size_t i = 0; i < removed->count; i++)
        for (size_t j = 0; j < rows->count; j++)
            if (same_step(&removed->items[i], &rows->items[j])) {
                rows->items[j] = rows->items[--rows->count];
                break;
            }
    for (size_t i = 0; i < written->count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < rows->count; j++)
            is_there |= same_step(&written->items[i], &rows->items[j]);
        if (!is_there)
            *arena_push(arena, rows) = written->items[i];
    }
}

/* Facts up to an instant, on each side. */
static size_t until(const struct timeline *t, size_t from, int64_t at)
{
    while (from < t->count && t->items[from].touch.key.at.us <= at)
        from++;
    return from;
}

static struct touch *touches_of(const struct timeline *t, struct arena *arena)
{
    struct touch *touches = arena_array(arena, struct touch, t->count + 1);
    for (size_t i = 0; i < t->count; i++)
        touches[i] = t->items[i].touch;
    return touches;
}

/* From what was derived for `old` to what `new` gives, in two chunks. */
static void rederive(struct world *w, const struct timeline *old, const struct timeline *new,
                     struct arena *arena, const char *what)
{
    struct journey_state sides[2], whole;
    struct journey_effects effects, first;
    journey_effects_init(&first, arena);
    journey_effects_init(&effects, arena);
    journey_state_init(&whole, arena);
    derive(w, old, false, &whole, &first);
    journey_state_init(&sides[0], arena);
    journey_state_init(&sides[1], arena);
    struct touch *a = touches_of(old, arena), *b = touches_of(new, arena);
    int64_t cut = draw(10) * HOUR * 10;
    size_t i = until(old, 0, cut), j = until(new, 0, cut);
    const size_t from_a[] = {0, i, old->count}, from_b[] = {0, j, new->count};
    for (int chunk = 0; chunk < 2; chunk++) {
        struct journey_side x = {&sides[0], a + from_a[chunk], from_a[chunk + 1] - from_a[chunk]},
                            y = {&sides[1], b + from_b[chunk], from_b[chunk + 1] - from_b[chunk]};
        journey_rederive(&w->policy, &x, &y, &effects);
    }
    apply(&first.opportunities, &effects, arena);
    expect(what, defined_text(new, arena), rows_text(w, new, &first.opportunities, arena));
}

/* ---- random timelines ---- */
static enum event random_event(void)
{
    uint32_t r = draw(100);
    return r < 36   ? TRIGGER
           : r < 42 ? ENTERING
           : r < 50 ? DONE
           : r < 57 ? CANCEL
           : r < 70 ? ACCEPT
           : r < 78 ? DECLINE
                    : (enum event)(IN + draw(BOT - IN + 1));
}

static void random_timeline(struct world *w, struct timeline *t)
{
    static const int64_t steps[] = {HOUR, 10 * HOUR, 50 * HOUR, 75 * HOUR};
    int64_t unit = steps[draw(4)];
    uint32_t count = 1 + draw(FACTS_MAX - 1);
    t->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct fact fact = make_fact(w, random_event(), draw(10) * unit, i);
        fact.named = draw(count);
        fact.named_offer = draw(OFFERS);
        fact.is_second = draw(2);
        t->items[t->count++] = fact;
    }
    settle(w, t);
}

static struct timeline part_of(const struct timeline *t, bool second)
{
    struct timeline part = {.count = 0};
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].is_second == second)
            part.items[part.count++] = t->items[i];
    return part;
}

static void test_random(void **state)
{
    const char *only = getenv("OPPORTUNITIES_SEED"), *number = getenv("OPPORTUNITIES_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = number ? strtoul(number, NULL, 10) : SEEDS;
    struct arena arena = {0};
    struct world *w = world_open();
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++) {
        struct timeline t, part;
        dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
        random_timeline(w, &t);
        const char *what = arena_printf(&arena, "seed %lu", seed);
        compare(w, &t, &arena, what);
        part = part_of(&t, draw(2));
        rederive(w, &part, &t, &arena, what); /* late, or one person of two */
        rederive(w, &t, &part, &arena, what); /* split off */
        arena_reset(&arena);
    }
    world_close(w);
    arena_free(&arena);
}

/* ---- examples, by name; hours ---- */
struct told {
    int64_t at;
    enum event event;
    uint32_t number, named;
};

static const struct {
    const char *name;
    uint32_t offer;
    struct told facts[6];
    const char *wanted;
} examples[] = {
    {"O1 accepted and won",
     0,
     {{0, TRIGGER, 1, 0}, {20, ACCEPT, 2, 1}, {60, DONE, 3, 0}},
     "0 by 1 at 0: won, accepted 20, ended 60, 1 triggers\n"},
    {"O2 an older trigger comes late: it takes the place, with what people did",
     0,
     {{-30, TRIGGER, 9, 0}, {0, TRIGGER, 1, 0}, {20, ACCEPT, 2, 1}, {60, DONE, 3, 0}},
     "0 by 9 at -30: won, accepted 20, ended 60, 2 triggers\n"},
    {"O2 an older trigger that expired before the purchase",
     0,
     {{-60, TRIGGER, 9, 0}, {0, TRIGGER, 1, 0}, {20, ACCEPT, 2, 1}, {60, DONE, 3, 0}},
     "0 by 9 at -60: expired, accepted 20, ended 40, 2 triggers\n"},
    {"O3 a withdrawal comes late",
     0,
     {{0, TRIGGER, 1, 0}, {10, CANCEL, 9, 0}, {20, ACCEPT, 2, 1}, {60, DONE, 3, 0}},
     "0 by 1 at 0: cancelled, accepted -1, ended 10, 1 triggers\n"},
    {"O4 a trigger while it cools, and one after it",
     0,
     {{0, TRIGGER, 1, 0}, {140, TRIGGER, 2, 0}, {160, TRIGGER, 3, 0}},
     "0 by 1 at 0: expired, accepted -1, ended 100, 2 triggers\n"
     "0 by 3 at 160: expired, accepted -1, ended 260, 1 triggers\n"},
    {"O5 what is cancelled does not cool",
     0,
     {{0, TRIGGER, 1, 0}, {5, CANCEL, 2, 0}, {30, TRIGGER, 3, 0}},
     "0 by 1 at 0: cancelled, accepted -1, ended 5, 1 triggers\n"
     "0 by 3 at 30: expired, accepted -1, ended 130, 1 triggers\n"},
    {"O6 a bereavement cancels and forbids, until it is over",
     0,
     {{0, TRIGGER, 1, 0},
      {40, IN, 2, 0},
      {50, TRIGGER, 3, 0},
      {90, OUT, 4, 0},
      {120, TRIGGER, 5, 0}},
     "0 by 1 at 0: cancelled, accepted -1, ended 40, 1 triggers\n"
     "0 by 5 at 120: expired, accepted -1, ended 220, 1 triggers\n"},
    {"O7 two people with a trigger each are one",
     0,
     {{0, TRIGGER, 1, 0}, {40, TRIGGER, 2, 0}, {50, ACCEPT, 3, 2}},
     "0 by 1 at 0: expired, accepted 50, ended 100, 2 triggers\n"},
    {"O7 the first of them alone",
     0,
     {{0, TRIGGER, 1, 0}},
     "0 by 1 at 0: expired, accepted -1, ended 100, 1 triggers\n"},
    {"O7 the second of them alone",
     0,
     {{40, TRIGGER, 2, 0}, {50, ACCEPT, 3, 2}},
     "0 by 2 at 40: expired, accepted 50, ended 140, 1 triggers\n"},
    {"O8 each purchase wins the last one and opens the next",
     2,
     {{0, TRIGGER, 1, 0}, {80, TRIGGER, 2, 0}, {170, TRIGGER, 3, 0}},
     "2 by 1 at 0: won, accepted -1, ended 80, 1 triggers\n"
     "2 by 2 at 80: won, accepted -1, ended 170, 1 triggers\n"
     "2 by 3 at 170: expired, accepted -1, ended 270, 1 triggers\n"},
    {"O9 a purchase exactly at the end comes too late",
     0,
     {{0, TRIGGER, 1, 0}, {100, DONE, 2, 0}},
     "0 by 1 at 0: expired, accepted -1, ended 100, 1 triggers\n"},
};

static struct timeline example_timeline(struct world *w, size_t example)
{
    struct timeline t = {.count = 0};
    for (int i = 0; i < 6 && examples[example].facts[i].number; i++) {
        const struct told *told = &examples[example].facts[i];
        struct fact *fact = &t.items[t.count++];
        *fact = make_fact(w, told->event, told->at * HOUR, told->number);
        fact->named = told->named;
        fact->named_offer = examples[example].offer;
    }
    settle(w, &t);
    return t;
}

static void test_examples(void **state)
{
    struct arena arena = {0};
    struct world *w = world_open();
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct timeline t = example_timeline(w, i);
        struct strbuf wanted = {.arena = &arena};
        define_offer(&t, examples[i].offer, &wanted);
        pack_byte(&wanted, 0);
        expect(examples[i].name, examples[i].wanted, wanted.ptr);
        compare(w, &t, &arena, examples[i].name);
    }
    world_close(w);
    arena_free(&arena);
}

/* Another program computed it: lengths of 4 bytes, numbers of 8, big-endian, BLAKE2b of 16 bytes.
 */
static void test_id(void **state)
{
    struct world *w = world_open();
    struct fact fact = make_fact(w, TRIGGER, 1767225600000000, 1);
    fact.touch.key.anchor = -2;
    struct id id = id_of(w, &fact, 0);
    char text[37];
    id_to_uuid(&id, text);
    assert_string_equal(text, "5bbee4f1-3292-b757-0730-40a82d7e6588");
    assert_int_equal(opportunity_key(span_of(text)), id_half(&id, 0));
    assert_int_equal(opportunity_key(SPAN("no id")), 0);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_id),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
