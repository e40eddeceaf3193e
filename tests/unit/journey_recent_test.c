/* journey_recent_test.c: which send is answered, and what follows a step of the map: one table row
 * per rule of docs/figures.md. The state is packed and read again after every fact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"

#define HOUR (INT64_C(3600) * US_PER_SECOND)

enum what { NOTHING, SEND, SEND_Y, OPEN, OPEN_Y, CLICK, VIEW, BOT, BUY, WHATS };

struct fact {
    enum what what;
    int hour;
    const char *decision; /* NULL: none */
    int64_t value;        /* 0: none */
    int16_t score;        /* 0: none */
};

#define AT(what, hour)                                                                             \
    {                                                                                              \
        what, hour, NULL, 0, 0                                                                     \
    }
#define OF(what, hour, decision)                                                                   \
    {                                                                                              \
        what, hour, decision, 0, 0                                                                 \
    }
#define WORTH(what, hour, value)                                                                   \
    {                                                                                              \
        what, hour, NULL, value, 0                                                                 \
    }
#define SCORED(what, hour, score)                                                                  \
    {                                                                                              \
        what, hour, NULL, 0, score                                                                 \
    }

/* Facts have the ids 1, 2, ... in the order of the table. */
enum { FACTS_MAX = 8 };

struct fixture {
    struct journey_world world;
    const struct shape *shapes[WHATS];
};

static void open_fixture(struct fixture *f)
{
    static const struct {
        const char *event, *campaign;
        bool is_bot;
    } texts[WHATS] = {
        [SEND] = {"Campaign Sent", "x", false},   [SEND_Y] = {"Contact Sent", "y", false},
        [OPEN] = {"Email Opened", "x", false},    [OPEN_Y] = {"Email Opened", "y", false},
        [CLICK] = {"Email Clicked", NULL, false}, [VIEW] = {"Product Viewed", NULL, false},
        [BOT] = {"Email Opened", "x", true},      [BUY] = {"Order Completed", NULL, false},
    };
    memset(f, 0, sizeof *f);
    world_open(&f->world);
    for (int i = SEND; i < WHATS; i++)
        f->shapes[i] =
            world_shape(&f->world, &(struct shape_text){.type = SPAN("track"),
                                                        .event_name = span_of(texts[i].event),
                                                        .channel = SPAN("email"),
                                                        .currency = SPAN("EUR"),
                                                        .campaign_id = span_of(texts[i].campaign),
                                                        .is_bot = texts[i].is_bot});
}

static struct touch touch_of(const struct fixture *f, const struct fact *fact, uint32_t id)
{
    struct touch touch = world_touch(f->shapes[fact->what], fact->hour * HOUR, id);
    if (fact->value)
        world_set_value(&touch, fact->value);
    touch.decision = fact->decision ? decision_key(span_of(fact->decision)) : 0;
    touch.score = fact->score ? fact->score : SCORE_ABSENT;
    return touch;
}

static void restart(struct fixture *f, struct journey_state *state)
{
    struct strbuf packed = {.arena = &f->world.arena};
    struct shape_lookup lookup = world_lookup(&f->world);
    uint32_t missing;
    struct err err;
    journey_state_pack(&f->world.policy, state, &packed);
    if (journey_state_unpack(&f->world.policy, strbuf_span(&packed), &lookup, &f->world.arena,
                             state, &missing, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
}

/* Facts in order; of one id the fact of that place in the list. */
static void pass_all(struct fixture *f, const struct fact *facts, size_t count,
                     struct journey_effects *effects)
{
    struct journey_state state;
    journey_state_init(&state, &f->world.arena);
    for (size_t i = 0; i < count && facts[i].what; i++) {
        const struct touch touch = touch_of(f, &facts[i], (uint32_t)i + 1);
        journey_advance(&f->world.policy, &state, &touch, effects);
        restart(f, &state);
    }
}

static unsigned number(const struct id *id)
{
    return id->bytes[15];
}

/* "send>answer" with their places in the list. */
static const char *pairs(struct fixture *f, const struct journey_effects *effects)
{
    struct strbuf out = {.arena = &f->world.arena};
    for (size_t i = 0; i < effects->responses.count; i++) {
        const struct response_row *row = &effects->responses.items[i];
        strbuf_addf(&out, "%s%u>%u", i ? " " : "", number(&row->send_id),
                    number(&row->key.event_id));
    }
    pack_byte(&out, 0);
    return out.ptr;
}

static const struct {
    const char *rule;
    struct fact facts[FACTS_MAX];
    const char *pairs;
} answers[] = {
    {"R1: by decision, else the last of the campaign; once each",
     {OF(SEND, 0, "1"), OF(SEND, 24, "2"), AT(OPEN, 30), AT(OPEN, 31), OF(OPEN, 32, "1"),
      OF(CLICK, 200, "1")},
     "2>3 1>5"},
    {"R2: the same without the second send: the second open answers nothing",
     {OF(SEND, 0, "1"), AT(OPEN, 30), AT(OPEN, 31), OF(OPEN, 32, "1"), OF(CLICK, 200, "1")},
     "1>2"},
    {"R3: exactly the window", {AT(SEND, 0), AT(OPEN, 168)}, "1>2"},
    {"R3: later than the window", {AT(SEND, 0), AT(OPEN, 169)}, ""},
    {"R5: the sends without the answers of somebody else",
     {OF(SEND, 0, "1"), OF(SEND, 24, "2")},
     ""},
    {"R5: the answers without the sends", {AT(OPEN, 30), AT(OPEN, 31)}, ""},
    {"another campaign is not answered",
     {AT(SEND, 0), AT(SEND_Y, 1), AT(OPEN, 2), AT(OPEN_Y, 3)},
     "1>3 2>4"},
    {"a decision is stronger than a campaign",
     {OF(SEND, 0, "1"), AT(SEND_Y, 1), OF(OPEN_Y, 2, "1")},
     "1>3"},
    {"an unknown decision leaves the campaign", {OF(SEND, 0, "1"), OF(OPEN, 2, "9")}, "1>2"},
    {"without decision and campaign nothing is named", {OF(SEND, 0, "1"), AT(VIEW, 2)}, ""},
    {"a program answers nothing", {AT(SEND, 0), AT(BOT, 1), AT(OPEN, 2)}, "1>3"},
    {"at one instant the send comes first", {AT(SEND, 5), AT(OPEN, 5)}, "1>2"},
};

static void test_answers(void **state)
{
    static struct fixture f;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct journey_effects effects;
        open_fixture(&f);
        journey_effects_init(&effects, &f.world.arena);
        pass_all(&f, answers[i].facts, FACTS_MAX, &effects);
        if (strcmp(pairs(&f, &effects), answers[i].pairs) != 0)
            fail_msg("%s: %s", answers[i].rule, pairs(&f, &effects));
        world_close(&f.world);
    }
}

/* R4: 33 sends in their window, the first with decision "0", the second with "1". */
static const char *answer_after_33_sends(struct fixture *f, enum what what, const char *decision)
{
    enum { SENDS = RESPONSES_MAX + 1 };
    struct fact facts[SENDS + 1];
    char names[SENDS][12];
    struct journey_effects effects;
    for (int i = 0; i < SENDS; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        facts[i] = (struct fact){SEND, i, names[i], 0, 0};
    }
    facts[SENDS] = (struct fact){what, 40, decision, 0, 0};
    journey_effects_init(&effects, &f->world.arena);
    pass_all(f, facts, SENDS + 1, &effects);
    return pairs(f, &effects);
}

static void test_newest_sends(void **state)
{
    static struct fixture f;
    open_fixture(&f);
    assert_string_equal(answer_after_33_sends(&f, OPEN, NULL), "33>34");
    assert_string_equal(answer_after_33_sends(&f, CLICK, "0"), "");
    assert_string_equal(answer_after_33_sends(&f, OPEN, "0"), "33>34");
    assert_string_equal(answer_after_33_sends(&f, CLICK, "1"), "2>34");
    world_close(&f.world);
}

/* Without the section nothing is derived and nothing remembered. */
static void test_not_asked(void **state)
{
    static struct fixture f;
    const struct fact facts[] = {AT(SEND, 0), AT(OPEN, 1)};
    struct journey_effects effects;
    struct cell cell;
    open_fixture(&f);
    f.world.policy.responses.is_asked = false;
    journey_effects_init(&effects, &f.world.arena);
    pass_all(&f, facts, 2, &effects);
    assert_int_equal(effects.responses.count, 0);
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);)
        assert_int_not_equal(cell.key.family, CELL_RESPONSES);
    world_close(&f.world);
}

/* ---- what follows a step ---- */
/* Sums over the steps to touches of one kind. */
struct after {
    int64_t steps, conversions, revenue, score_sum, scores;
};

static struct after after_kind(struct fixture *f, const struct journey_effects *effects,
                               uint32_t kind)
{
    struct after sum = {0};
    struct cell cell;
    for (size_t i = 0; journey_effects_next(effects, &i, &cell);) {
        const int64_t *v = cell.values;
        if (cell.key.dims[2] != kind)
            continue;
        if (cell.key.family == CELL_STEP)
            sum.steps += v[0];
        if (cell.key.family == CELL_STEP_AFTER) {
            sum.conversions += v[0];
            sum.score_sum += v[1];
            sum.scores += v[2];
        }
        if (cell.key.family == CELL_STEP_MONEY)
            sum.revenue += v[1];
    }
    return sum;
}

/* Facts of five kinds: what each of the kinds had after it. */
static const struct {
    const char *rule;
    struct fact facts[FACTS_MAX];
    struct {
        enum what kind;
        struct after after;
    } after[4]; /* a kind of 0 ends the list; the steps of BUY lead to (conversion) */
} sequels[] = {
    {"O1: the first conversion within seven days",
     {AT(OPEN, 0), AT(CLICK, 2), WORTH(BUY, 50, 80), AT(VIEW, 60), WORTH(BUY, 170, 20),
      SCORED(OPEN_Y, 400, 80)},
     {{OPEN, {2, 1, 80, 0, 0}},
      {CLICK, {1, 1, 80, 0, 0}},
      {BUY, {2, 1, 20, 0, 0}},
      {VIEW, {1, 1, 20, 0, 0}}}},
    {"O2: without the order of hour 50: exactly seven days, and two hours more",
     {AT(OPEN, 0), AT(CLICK, 2), AT(VIEW, 60), WORTH(BUY, 170, 20)},
     {{OPEN, {1, 0, 0, 0, 0}},
      {CLICK, {1, 1, 20, 0, 0}},
      {BUY, {1, 0, 0, 0, 0}},
      {VIEW, {1, 1, 20, 0, 0}}}},
    {"O3: the first score on a later touch",
     {AT(OPEN, 90), AT(CLICK, 95), SCORED(VIEW, 100, 40), {BUY, 110, NULL, 5, -20}},
     {{OPEN, {1, 1, 5, 40, 1}},
      {CLICK, {1, 1, 5, 40, 1}},
      {VIEW, {1, 1, 5, -20, 1}},
      {BUY, {1, 0, 0, 0, 0}}}},
    {"a program is no touch of the map",
     {AT(OPEN, 0), SCORED(BOT, 1, 50), SCORED(VIEW, 2, 30)},
     {{OPEN, {1, 0, 0, 30, 1}}, {VIEW, {1, 0, 0, 0, 0}}}},
};

static void test_sequels(void **state)
{
    static struct fixture f;
    for (size_t i = 0; i < sizeof sequels / sizeof *sequels; i++) {
        struct journey_effects effects;
        open_fixture(&f);
        journey_effects_init(&effects, &f.world.arena);
        pass_all(&f, sequels[i].facts, FACTS_MAX, &effects);
        for (int k = 0; k < 4 && sequels[i].after[k].kind; k++) {
            enum what kind = sequels[i].after[k].kind;
            const struct after *want = &sequels[i].after[k].after,
                               got = after_kind(&f, &effects,
                                                kind == BUY ? f.world.policy.conversion_node
                                                            : f.shapes[kind]->kind);
            if (memcmp(want, &got, sizeof got) != 0)
                fail_msg("%s: kind %d: %d %d %d %d %d", sequels[i].rule, kind, (int)got.steps,
                         (int)got.conversions, (int)got.revenue, (int)got.score_sum,
                         (int)got.scores);
        }
        world_close(&f.world);
    }
}

/* Of 66 touches within a day the newest 64 before the conversion ask. */
static void test_newest_steps(void **state)
{
    enum { VIEWS = 66 };
    static struct fixture f;
    struct fact facts[VIEWS + 1];
    struct journey_effects effects;
    open_fixture(&f);
    for (int i = 0; i < VIEWS; i++)
        facts[i] = (struct fact)SCORED(VIEW, 0, 0);
    facts[VIEWS] = (struct fact){BUY, 1, NULL, 7, 0};
    journey_effects_init(&effects, &f.world.arena);
    pass_all(&f, facts, VIEWS + 1, &effects);
    const struct after after = after_kind(&f, &effects, f.shapes[VIEW]->kind);
    assert_int_equal(after.steps, VIEWS);
    assert_int_equal(after.conversions, 64);
    assert_int_equal(after.revenue, 64 * 7);
    world_close(&f.world);
}

/* Costs of the touches themselves, of either direction. */
static void test_cost(void **state)
{
    static struct fixture f;
    struct journey_state journey;
    struct journey_effects effects;
    struct cell cell;
    int64_t cost = 0;
    open_fixture(&f);
    journey_state_init(&journey, &f.world.arena);
    journey_effects_init(&effects, &f.world.arena);
    for (uint32_t i = 0; i < 3; i++) {
        struct touch touch = world_touch(f.shapes[i < 2 ? SEND : VIEW], i * HOUR, i);
        touch.cost_micros = i == 0 ? MICROS_ABSENT : (int64_t)i;
        journey_advance(&f.world.policy, &journey, &touch, &effects);
    }
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);)
        if (cell.key.family == CELL_STEP_MONEY) {
            assert_int_equal(cell.key.dims[6], f.shapes[SEND]->currency);
            cost += cell.values[2];
        }
    assert_int_equal(cost, 3);
    world_close(&f.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),      cmocka_unit_test(test_newest_sends),
        cmocka_unit_test(test_not_asked),    cmocka_unit_test(test_sequels),
        cmocka_unit_test(test_newest_steps), cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
