/* journey_money_test.c: whoever people are said to be, what was sold stays the same. Histories of
 * sales and returns that are told under several identities, with merges, cuts, identifiers that
 * become shared and erasures. After every step the figures are those of one derivation, and their
 * sum is the sum of the messages. TUTTI_SEED runs one seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"
#include "tests/support/random.h"

enum { HISTORIES = 1000, ANCHORS = 6, PROFILES = 4, MESSAGES = 8, MAX_FACTS = 64, STEPS = 14 };
enum { SHARED = PROFILES, GONE }; /* places of an anchor besides the profiles */

static struct journey_world world;
static struct random dice;
static uint32_t usd, eur;

static uint32_t draw(uint32_t n)
{
    return (uint32_t)random_below(&dice, n);
}

/* ---- what is told ---- */
/* A message; every telling says the same amount. */
struct message {
    struct touch touch; /* of no anchor */
    int64_t amount;     /* what it adds to the total */
    bool is_told;
};

struct history {
    struct message messages[MESSAGES];
    struct touch facts[MAX_FACTS];
    size_t fact_count;
    uint32_t place[ANCHORS + 1]; /* of each anchor; 0 is nobody's */
    struct touch kept[MAX_FACTS];
    size_t kept_count;
    bool is_kept[MESSAGES]; /* its owner was erased */
};

static const struct shape *shapes[8];
enum { SALE_USD, SALE_EUR, RETURN_USD, RETURN_EUR, SENT, SHAPES };

static struct message random_message(uint32_t number)
{
    static const char *const ids[] = {"", "1", "2", "3"};
    uint32_t kind = draw(SHAPES);
    struct message m = {.touch = world_touch(shapes[kind], draw(5) * US_PER_DAY, number + 1)};
    /* No two amounts are equal, so that none is the repeat of another teller's return. */
    int64_t value = draw(8) ? MESSAGES * (1 + draw(50)) + number : 0;
    bool is_return = kind == RETURN_USD || kind == RETURN_EUR;
    if (kind == SENT)
        return m;
    if (!is_return && draw(6) == 0)
        value = -value;
    world_set_value(&m.touch, is_return && draw(2) ? -value : value);
    m.amount = is_return ? -value : value;
    /* One order has one teller, so that it is no matter who tells it. */
    world_name_order(&world, &m.touch, is_return || value < 0 ? ids[draw(4)] : ids[number % 4]);
    m.touch.is_sale = journey_is_sale(&world.policy, &m.touch);
    return m;
}

static void start(struct history *h)
{
    *h = (struct history){0};
    for (uint32_t i = 0; i < MESSAGES; i++)
        h->messages[i] = random_message(i);
    for (int64_t anchor = 1; anchor <= ANCHORS; anchor++)
        h->place[anchor] = draw(PROFILES);
}

static bool is_stored(const struct history *h, const struct touch *touch)
{
    for (size_t i = 0; i < h->fact_count; i++)
        if (h->facts[i].key.anchor == touch->key.anchor &&
            id_equal(&h->facts[i].key.event_id, &touch->key.event_id))
            return true;
    return false;
}

/* ---- what happens ---- */
static void tell(struct history *h)
{
    struct message *m = &h->messages[draw(MESSAGES)];
    struct touch touch = m->touch;
    touch.key.anchor = draw(ANCHORS + 1);
    if (h->place[touch.key.anchor] == GONE || is_stored(h, &touch))
        return;
    m->is_told = true;
    h->facts[h->fact_count++] = touch;
}

static void move(struct history *h)
{
    uint32_t to = draw(PROFILES + 2);
    for (uint32_t n = 1 + draw(2); n > 0; n--) {
        uint32_t anchor = 1 + draw(ANCHORS);
        if (h->place[anchor] != GONE)
            h->place[anchor] = to < SHARED ? to : SHARED;
    }
}

static uint8_t holder_of(const struct history *h, int64_t anchor)
{
    if (anchor == 0)
        return HOLDER_NOBODY;
    return h->place[anchor] == SHARED ? HOLDER_SHARED : HOLDER_IDENTIFIED;
}

static uint32_t message_of(const struct touch *touch)
{
    return touch->key.event_id.bytes[15] - 1U;
}

/* The owner is the first of all that tell the message; of an erased person's sale, nobody is. */
static bool owns(const struct history *h, const struct touch *touch)
{
    if (h->is_kept[message_of(touch)])
        return false;
    struct sale_claim mine = {touch->key.anchor, touch->key.rank, holder_of(h, touch->key.anchor)};
    for (size_t i = 0; i < h->fact_count; i++) {
        const struct touch *other = &h->facts[i];
        struct sale_claim theirs = {other->key.anchor, other->key.rank,
                                    holder_of(h, other->key.anchor)};
        if (id_equal(&other->key.event_id, &touch->key.event_id) &&
            journey_claim_compare(&theirs, &mine) < 0)
            return false;
    }
    return true;
}

/* What an erasure keeps of a sale names no order, and its amount is what it changed. */
static void keep(struct history *h, const struct touch *touch)
{
    struct touch kept = *touch;
    kept.key.anchor = 0;
    kept.order = 0;
    h->is_kept[message_of(touch)] = true;
    h->kept[h->kept_count++] = kept;
}

static void erase(struct history *h)
{
    bool is_kept[MAX_FACTS] = {0};
    uint32_t profile = draw(PROFILES);
    size_t left = 0;
    for (size_t i = 0; i < h->fact_count; i++)
        is_kept[i] = h->place[h->facts[i].key.anchor] == profile && h->facts[i].key.anchor != 0 &&
                     h->facts[i].is_sale && owns(h, &h->facts[i]);
    for (size_t i = 0; i < h->fact_count; i++) {
        struct touch fact = h->facts[i];
        if (is_kept[i])
            keep(h, &fact);
        if (fact.key.anchor == 0 || h->place[fact.key.anchor] != profile)
            h->facts[left++] = fact;
    }
    h->fact_count = left;
    for (int anchor = 1; anchor <= ANCHORS; anchor++)
        if (h->place[anchor] == profile)
            h->place[anchor] = GONE;
}

/* ---- the figures of a moment ---- */
struct side {
    struct journey_state state;
    struct touch touches[MAX_FACTS];
    size_t count;
};

static int by_key(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

static void timeline_of(const struct history *h, uint32_t profile, struct side *out,
                        struct arena *arena)
{
    struct repeat_rows repeats = {0};
    journey_state_init(&out->state, arena);
    out->state.tail.unbounded = true;
    out->count = 0;
    for (size_t i = 0; i < h->fact_count; i++) {
        struct touch touch = h->facts[i];
        if (touch.key.anchor == 0 || h->place[touch.key.anchor] != profile)
            continue;
        if (touch.is_sale && !owns(h, &touch))
            touch.shape = shape_without_sale(&world.policy, arena, touch.shape);
        out->touches[out->count++] = touch;
    }
    qsort(out->touches, out->count, sizeof *out->touches, by_key);
    out->count = journey_drop_repeats(out->touches, out->count, arena, &repeats);
}

static void count_alone(const struct history *h, int sign, struct journey_effects *effects)
{
    effects->sign = sign;
    for (size_t i = 0; i < h->fact_count; i++)
        if (h->facts[i].is_sale && holder_of(h, h->facts[i].key.anchor) != HOLDER_IDENTIFIED &&
            owns(h, &h->facts[i]))
            journey_alone(&world.policy, &h->facts[i], effects);
    for (size_t i = 0; i < h->kept_count; i++)
        journey_alone(&world.policy, &h->kept[i], effects);
    effects->sign = 1;
}

/* What a step changes: each profile gives what it is, and takes back what it was. */
static void apply(const struct history *was, const struct history *is, struct figures *figures,
                  struct arena *arena)
{
    struct journey_effects effects;
    journey_effects_init(&effects, arena);
    count_alone(was, -1, &effects);
    count_alone(is, 1, &effects);
    for (uint32_t profile = 0; profile < PROFILES; profile++) {
        struct side before, after;
        timeline_of(was, profile, &before, arena);
        timeline_of(is, profile, &after, arena);
        journey_rederive(
            &world.policy, &(struct journey_side){&before.state, before.touches, before.count},
            &(struct journey_side){&after.state, after.touches, after.count}, &effects);
        journey_trailing_replace(&world.policy, before.count ? &before.state : NULL,
                                 after.count ? &after.state : NULL, &effects);
    }
    assert_false(effects.missed_window);
    figures_apply(figures, &effects);
}

/* ---- what must hold ---- */
enum { MODELS = MODEL_TIME_DECAY };
struct totals {
    int64_t goal[2], unidentified[2], credit[MODELS][2];
    int64_t parts[MODELS][2][3]; /* by currency: USD, EUR */
};
enum { ATTRIBUTED, UNATTRIBUTED, UNIDENTIFIED };

static void add_cell(const struct cell_key *key, const int64_t *v, uint32_t sale, struct totals *t)
{
    bool is_goal = key->family == CELL_GOAL && key->dims[0] == sale;
    uint32_t currency = is_goal ? key->dims[3] : key->dims[7], nobody = world.policy.unidentified;
    int c = currency == usd ? 0 : 1;
    if (is_goal) {
        t->goal[c] += v[1];
        t->unidentified[c] += key->dims[2] == nobody ? v[1] : 0;
    } else if (key->family == CELL_CREDIT && key->dims[0] == sale) {
        int part = key->dims[2] == 0        ? UNATTRIBUTED
                   : key->dims[2] == nobody ? UNIDENTIFIED
                                            : ATTRIBUTED;
        t->credit[key->dims[1] - MODEL_FIRST_TOUCH][c] += v[1];
        t->parts[key->dims[1] - MODEL_FIRST_TOUCH][c][part] += v[1];
    }
}

/* A known customer bought it, if any of those who tell it is one. */
static bool has_customer(const struct history *h, uint32_t message)
{
    for (size_t i = 0; i < h->fact_count; i++)
        if (message_of(&h->facts[i]) == message &&
            holder_of(h, h->facts[i].key.anchor) == HOLDER_IDENTIFIED)
            return !h->is_kept[message];
    return false;
}

static void check_totals(const struct history *h, const struct figures *figures)
{
    struct totals t = {0};
    int64_t told[2] = {0}, unidentified[2] = {0};
    const void *key;
    const int64_t *v;
    for (size_t i = 0; (v = map_next(&figures->cells, &i, &key)) != NULL;)
        add_cell(key, v, world_code(&world, SPAN("sale")), &t);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const struct message *m = &h->messages[i];
        int c = m->touch.shape->currency == usd ? 0 : 1;
        told[c] += m->is_told ? m->amount : 0;
        unidentified[c] += m->is_told && !has_customer(h, i) ? m->amount : 0;
    }
    for (int c = 0; c < 2; c++) {
        assert_int_equal(t.goal[c], told[c]);
        assert_int_equal(t.unidentified[c], unidentified[c]);
        for (int model = 0; model < MODELS; model++) {
            const int64_t *parts = t.parts[model][c];
            assert_int_equal(t.credit[model][c], told[c]);
            assert_int_equal(parts[ATTRIBUTED] + parts[UNATTRIBUTED] + parts[UNIDENTIFIED],
                             told[c]);
            assert_int_equal(parts[UNIDENTIFIED], t.unidentified[c]);
        }
    }
}

static void check_figures(const struct history *h, const struct figures *figures,
                          struct arena *arena)
{
    static const struct history nothing;
    struct figures fresh;
    figures_open(&fresh);
    apply(&nothing, h, &fresh, arena);
    assert_string_equal(figures_text(figures, arena), figures_text(&fresh, arena));
    figures_close(&fresh);
    check_totals(h, figures);
}

static void step(struct history *h)
{
    uint32_t what = draw(12);
    if (what < 7)
        tell(h);
    else if (what < 11)
        move(h);
    else
        erase(h);
}

static void play(struct arena *arena)
{
    struct history was, is;
    struct figures figures;
    figures_open(&figures);
    start(&is);
    for (int i = 0; i < STEPS; i++) {
        was = is;
        step(&is);
        apply(&was, &is, &figures, arena);
        check_figures(&is, &figures, arena);
    }
    figures_close(&figures);
}

static void test_no_history_changes_what_was_sold(void **state)
{
    uint64_t seed = random_from_environment().state;
    for (uint64_t i = 0; i < HISTORIES; i++) {
        struct arena arena = {0};
        dice = random_of(seed, 0, i);
        play(&arena);
        arena_free(&arena);
    }
}

static const struct shape *shape_of(const char *event, const char *currency, const char *direction)
{
    struct shape_text text = {.source = SPAN("urn:till"),
                              .type = SPAN("track"),
                              .event_name = span_of(event),
                              .channel = SPAN("pos"),
                              .department = SPAN("stores")};
    text.currency = *currency ? span_of(currency) : SPAN_NONE;
    text.direction = *direction ? span_of(direction) : SPAN_NONE;
    text.campaign_id = *direction ? SPAN("8") : SPAN_NONE;
    return world_shape(&world, &text);
}

static int set_up(void **state)
{
    world_open_goals(&world, NULL);
    /* An order that is told first without a value has the goals of that telling for good. */
    world.policy.conversions[world.policy.conversion_count - 1].any_value = false;
    world.policy.credit.models |= 1 << MODEL_POSITION_BASED | 1 << MODEL_TIME_DECAY;
    usd = world_code(&world, SPAN("USD"));
    eur = world_code(&world, SPAN("EUR"));
    shapes[SALE_USD] = shape_of("Order Completed", "USD", "");
    shapes[SALE_EUR] = shape_of("Order Completed", "EUR", "");
    shapes[RETURN_USD] = shape_of("Order Returned", "USD", "");
    shapes[RETURN_EUR] = shape_of("Order Returned", "EUR", "");
    shapes[SENT] = shape_of("Campaign Sent", "", "outbound");
    return 0;
}

static int tear_down(void **state)
{
    world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_history_changes_what_was_sold)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
