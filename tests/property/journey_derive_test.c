/* journey_derive_test.c: whatever the way a timeline came about (batches, late events, merges,
 * splits, cut tails), its figures and state equal those of one derivation from the beginning. Times
 * are drawn so that equal ones and exact boundaries are frequent. JOURNEY_SEED runs one seed,
 * JOURNEY_SEEDS sets their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"
#include "tests/support/random.h"

/* Sanitizers make a seed six times as slow, and look for faults that fewer of them show. */
#ifdef __SANITIZE_ADDRESS__
enum { DEFAULT_SEEDS = 400 };
#else
enum { DEFAULT_SEEDS = 1500 };
#endif

enum { MAX_TOUCHES = 60 };

static struct journey_world world;
static struct random dice;

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

/* ---- random timelines ---- */
static int64_t random_gap(void)
{
    const int64_t hour = 3600 * US_PER_SECOND;
    const int64_t gaps[] = {0,
                            0,
                            0,
                            1,
                            hour / 2,
                            hour / 2 + 1,
                            hour,
                            hour,
                            US_PER_DAY,
                            US_PER_DAY,
                            2 * US_PER_DAY,
                            7 * US_PER_DAY,
                            28 * US_PER_DAY,
                            28 * US_PER_DAY + 1,
                            30 * US_PER_DAY,
                            30 * US_PER_DAY + 1,
                            56 * US_PER_DAY,
                            56 * US_PER_DAY + 1,
                            309 * US_PER_DAY,
                            365 * US_PER_DAY,
                            365 * US_PER_DAY + 1};
    uint32_t n = sizeof gaps / sizeof *gaps;
    if (draw(10) < 6)
        return 0;
    return gaps[draw(3) ? draw(12) : draw(n)];
}

static const int64_t amounts[] = {MICROS_ABSENT, -7, 0, 1, 10, 1000001};
static const char *const order_ids[] = {"", "1", "2", "3", "4"};

struct timeline {
    struct touch items[2 * MAX_TOUCHES];
    size_t count;
};

static struct touch random_touch(int64_t at)
{
    struct touch touch = world_touch(&world.shapes[draw(world.shape_count)], at, draw(6));
    world_set_value(&touch, amounts[draw(6)]);
    touch.margin_micros = amounts[draw(6)];
    touch.cost_micros = draw(3) ? MICROS_ABSENT : (int64_t)draw(5);
    touch.score = draw(3) ? SCORE_ABSENT : (int16_t)(60 + 20 * draw(3));
    touch.key.anchor = (int64_t)draw(3) - 1;
    touch.decision = draw(3);
    touch.zone = (int16_t)(draw(3) ? 0 : 1 + draw(2));
    world_name_order(&world, &touch, order_ids[draw(5)]);
    if (draw(3) == 0)
        touch.by_lines = world.policy.filters_of_lines;
    return touch;
}

static int by_key(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

static bool is_same_fact(const struct touch_key *a, const struct touch_key *b)
{
    return a->at.us == b->at.us && a->anchor == b->anchor && id_equal(&a->event_id, &b->event_id);
}

static bool contains(const struct timeline *t, const struct touch_key *key)
{
    for (size_t i = 0; i < t->count; i++)
        if (is_same_fact(&t->items[i].key, key))
            return true;
    return false;
}

static void settle(struct timeline *t)
{
    qsort(t->items, t->count, sizeof *t->items, by_key);
}

static void random_timeline(struct timeline *t)
{
    int64_t at = (int64_t)draw(3) * US_PER_DAY;
    t->count = 0;
    for (size_t n = draw(MAX_TOUCHES); n > 0; n--) {
        struct touch touch = random_touch(at += random_gap());
        if (!contains(t, &touch.key))
            t->items[t->count++] = touch;
    }
    settle(t);
}

/* ---- the reference: one derivation from the beginning ---- */
struct outcome_of {
    const char *figures, *state;
};

static const char *state_text(const struct journey_state *state, struct arena *arena)
{
    struct strbuf packed = {.arena = arena}, hex = {.arena = arena};
    journey_state_pack(&world.policy, state, &packed);
    for (size_t i = 0; i < packed.len; i++)
        strbuf_addf(&hex, "%02x", (unsigned char)packed.ptr[i]);
    pack_byte(&hex, 0);
    return hex.ptr;
}

static void derive_full(const struct timeline *t, struct journey_state *state,
                        struct figures *figures, struct arena *arena)
{
    struct journey_effects effects;
    journey_effects_init(&effects, arena);
    journey_state_init(state, arena);
    state->tail.unbounded = true;
    for (size_t i = 0; i < t->count; i++)
        journey_advance(&world.policy, state, &t->items[i], &effects);
    journey_trailing(&world.policy, state, &effects);
    assert_false(effects.missed_window);
    figures_apply(figures, &effects);
}

static struct outcome_of expected(const struct timeline *t, struct arena *arena)
{
    struct journey_state state;
    struct figures figures;
    figures_open(&figures);
    derive_full(t, &state, &figures, arena);
    struct outcome_of out = {figures_text(&figures, arena), state_text(&state, arena)};
    figures_close(&figures);
    return out;
}

/* ---- a profile kept like the service does ---- */
struct checkpoint {
    struct instant at; /* holds after all touches of this instant */
    struct span packed;
};
struct checkpoints {
    struct checkpoint *items;
    size_t count, capacity;
};
struct person {
    struct timeline timeline;
    struct span packed; /* of the final state; SPAN_NONE: no facts */
    struct checkpoints checkpoints;
    size_t every; /* touches per checkpoint */
};

static struct span pack(const struct journey_state *state, struct arena *arena)
{
    struct strbuf buf = {.arena = arena};
    journey_state_pack(&world.policy, state, &buf);
    return strbuf_span(&buf);
}

static void load(struct span packed, struct journey_state *state, struct arena *arena)
{
    struct shape_lookup lookup = world_lookup(&world);
    uint32_t missing;
    struct err err;
    journey_state_init(state, arena);
    if (packed.ptr)
        assert_int_equal(
            journey_state_unpack(&world.policy, packed, &lookup, arena, state, &missing, &err),
            OUTCOME_OK);
}

/* Touches up to an instant, its own included. */
static size_t count_to(const struct timeline *t, struct instant at)
{
    size_t n = 0;
    while (n < t->count && instant_compare(t->items[n].key.at, at) <= 0)
        n++;
    return n;
}

/* Primes from the facts the service would read: [last - lookback, last]. */
static void prime(struct journey_state *state, const struct timeline *t)
{
    size_t to = count_to(t, state->last.at), from = 0;
    struct instant since = instant_minus(state->last.at, world.policy.lookback);
    while (from < to && instant_compare(t->items[from].key.at, since) < 0)
        from++;
    journey_prime(&world.policy, state, t->items + from, to - from);
}

/* As the service does: the time of the orders is gone through once more, or else all time. */
static void learn(const struct person *p, struct journey_state *state)
{
    struct instant since = journey_orders_since(&world.policy, state);
    size_t from = 0, to = count_to(&p->timeline, state->last.at);
    while (from < to && instant_compare(p->timeline.items[from].key.at, since) < 0)
        from++;
    if (!journey_learn_orders(&world.policy, p->timeline.items + from, to - from, state, NULL))
        assert_true(journey_learn_orders(&world.policy, p->timeline.items, to, state, NULL));
}

static void keep_checkpoint(struct person *p, const struct journey_state *state,
                            struct arena *arena)
{
    *arena_push(arena, &p->checkpoints) = (struct checkpoint){state->last.at, pack(state, arena)};
}

/* A state replaces the checkpoint of its instant, if there is one. */
static bool replace_checkpoint(struct person *p, const struct journey_state *state,
                               struct arena *arena)
{
    size_t n = p->checkpoints.count;
    if (n == 0 || p->checkpoints.items[n - 1].at.us != state->last.at.us)
        return false;
    p->checkpoints.items[n - 1].packed = pack(state, arena);
    return true;
}

/* Facts that may follow the state: the fast path. */
static void append(struct person *p, const struct touch *touches, size_t count,
                   struct journey_effects *effects, struct arena *arena)
{
    struct journey_state before, state;
    load(p->packed, &before, arena);
    journey_state_copy(&state, &before, arena);
    for (size_t i = 0; i < count; i++) {
        if (journey_needs_window(&world.policy, &state, &touches[i]))
            prime(&state, &p->timeline);
        if (journey_lacks_orders(&state, &touches[i], 1))
            learn(p, &state);
        journey_advance(&world.policy, &state, &touches[i], effects);
        p->timeline.items[p->timeline.count++] = touches[i];
        if (!replace_checkpoint(p, &state, arena) && p->every && p->timeline.count % p->every == 0)
            keep_checkpoint(p, &state, arena);
    }
    journey_trailing_replace(&world.policy, &before, &state, effects);
    p->packed = pack(&state, arena);
}

static size_t first_difference(const struct timeline *a, const struct timeline *b)
{
    size_t i = 0;
    while (i < a->count && i < b->count && by_key(&a->items[i], &b->items[i]) == 0)
        i++;
    return i;
}

/* Touches at the end that both have. */
static size_t common_end(const struct timeline *a, const struct timeline *b)
{
    size_t n = 0;
    while (n < a->count && n < b->count &&
           by_key(&a->items[a->count - 1 - n], &b->items[b->count - 1 - n]) == 0)
        n++;
    return n;
}

/* Checkpoints that hold for both timelines; the later ones are handed out through *later. */
static void split_checkpoints(struct person *p, const struct timeline *next,
                              struct checkpoints *later, struct arena *arena)
{
    size_t i = first_difference(&p->timeline, next), kept = 0;
    struct instant at =
        i == p->timeline.count ? next->items[i].key.at : p->timeline.items[i].key.at;
    if (i < next->count && instant_compare(next->items[i].key.at, at) < 0)
        at = next->items[i].key.at;
    while (kept < p->checkpoints.count && instant_compare(p->checkpoints.items[kept].at, at) < 0)
        kept++;
    *later = (struct checkpoints){0};
    for (size_t n = kept; n < p->checkpoints.count; n++)
        *arena_push(arena, later) = p->checkpoints.items[n];
    p->checkpoints.count = kept;
}

struct rederivation {
    struct journey_state before, after;
    size_t old_at, new_at;
};

static void start(struct rederivation *r, const struct person *p, const struct timeline *next,
                  struct arena *arena)
{
    bool from_start = p->checkpoints.count == 0;
    struct span packed =
        from_start ? SPAN_NONE : p->checkpoints.items[p->checkpoints.count - 1].packed;
    load(packed, &r->before, arena);
    if (journey_tail_is_cut(&r->before))
        prime(&r->before, &p->timeline);
    if (!from_start)
        learn(p, &r->before);
    journey_state_copy(&r->after, &r->before, arena);
    r->old_at = from_start ? 0 : count_to(&p->timeline, r->before.last.at);
    r->new_at = from_start ? 0 : count_to(next, r->before.last.at);
}

static void run_to(struct rederivation *r, const struct person *p, const struct timeline *next,
                   size_t old_to, size_t new_to, struct journey_effects *effects)
{
    struct journey_side before = {&r->before, p->timeline.items + r->old_at, old_to - r->old_at};
    struct journey_side after = {&r->after, next->items + r->new_at, new_to - r->new_at};
    journey_rederive(&world.policy, &before, &after, effects);
    r->old_at = old_to;
    r->new_at = new_to;
}

static size_t early_stops;

/* Any other set of facts: from the last common checkpoint, chunk by chunk, until both sides agree.
 */
static void change(struct person *p, const struct timeline *next, struct journey_effects *effects,
                   struct arena *arena)
{
    struct checkpoints later;
    struct rederivation r;
    struct journey_state old_final, final;
    load(p->packed, &old_final, arena);
    split_checkpoints(p, next, &later, arena);
    start(&r, p, next, arena);
    bool converged = false;
    size_t i = 0, end_same = common_end(&p->timeline, next);
    for (; i < later.count && !converged; i++) {
        struct instant end = later.items[i].at;
        run_to(&r, p, next, count_to(&p->timeline, end), count_to(next, end), effects);
        if (r.new_at > 0 && !replace_checkpoint(p, &r.after, arena) && draw(4))
            keep_checkpoint(p, &r.after, arena);
        bool past = r.old_at + end_same >= p->timeline.count && r.new_at + end_same >= next->count;
        converged = past && journey_converged(&world.policy, &r.before, &r.after);
    }
    if (converged) {
        early_stops++;
        for (; i < later.count; i++)
            *arena_push(arena, &p->checkpoints) = later.items[i];
    } else {
        run_to(&r, p, next, p->timeline.count, next->count, effects);
    }
    journey_conclude(&old_final, &r.before, &r.after, converged, arena, &final);
    journey_trailing_replace(&world.policy, p->timeline.count ? &old_final : NULL,
                             next->count ? &final : NULL, effects);
    p->timeline = *next;
    p->packed = next->count ? pack(&final, arena) : SPAN_NONE;
}

/* Fails with the first line that differs, not with both texts. */
static void assert_same_text(const char *have, const char *want)
{
    while (*have && *have == *want) {
        size_t n = strcspn(have, "\n");
        if (strncmp(have, want, n + 1) != 0)
            break;
        have += n + (have[n] == '\n');
        want += n + (want[n] == '\n');
    }
    if (strcmp(have, want) != 0)
        print_error("have %.*s\nwant %.*s\n", (int)strcspn(have, "\n"), have,
                    (int)strcspn(want, "\n"), want);
    assert_true(strcmp(have, want) == 0);
}

static void check_person(const struct person *p, const struct figures *figures, struct arena *arena)
{
    struct outcome_of want = expected(&p->timeline, arena);
    struct journey_state state;
    load(p->packed, &state, arena);
    assert_same_text(figures_text(figures, arena), want.figures);
    assert_same_text(state_text(&state, arena), want.state);
}

/* ---- the properties ---- */
/* A batch as the service takes it: on the fast path if it may follow, else by deriving its instant
 * again. */
static void take_batch(struct person *p, const struct touch *touches, size_t count,
                       struct journey_effects *effects, struct arena *arena)
{
    struct journey_state state;
    load(p->packed, &state, arena);
    if (journey_may_follow(&state, &touches[0].key)) {
        append(p, touches, count, effects, arena);
        return;
    }
    struct timeline next = p->timeline;
    memcpy(next.items + next.count, touches, count * sizeof *touches);
    next.count += count;
    settle(&next);
    change(p, &next, effects, arena);
}

static void batches_equal_one_derivation(struct arena *arena)
{
    struct timeline t;
    struct person p = {.every = draw(5)};
    struct figures figures;
    figures_open(&figures);
    random_timeline(&t);
    for (size_t at = 0; at < t.count;) {
        struct journey_effects effects;
        journey_effects_init(&effects, arena);
        size_t n = 1 + draw(6);
        n = n > t.count - at ? t.count - at : n;
        take_batch(&p, t.items + at, n, &effects, arena);
        at += n;
        assert_false(effects.missed_window);
        figures_apply(&figures, &effects);
    }
    check_person(&p, &figures, arena);
    figures_close(&figures);
}

static void add_some(struct timeline *to, struct timeline *from)
{
    for (size_t n = 1 + draw(4); n > 0 && from->count > 0; n--) {
        size_t i = draw((uint32_t)from->count);
        to->items[to->count++] = from->items[i];
        from->items[i] = from->items[--from->count];
    }
    settle(to);
}

static void remove_some(struct timeline *t)
{
    for (size_t n = draw(4); n > 0 && t->count > 0; n--) {
        size_t i = draw((uint32_t)t->count);
        memmove(t->items + i, t->items + i + 1, (--t->count - i) * sizeof *t->items);
    }
}

static void grow_in_any_order(struct person *p, struct timeline *rest, struct figures *figures,
                              struct arena *arena)
{
    while (rest->count > 0) {
        struct timeline next = p->timeline;
        struct journey_effects effects;
        journey_effects_init(&effects, arena);
        add_some(&next, rest);
        if (draw(5) == 0)
            remove_some(&next);
        if (first_difference(&p->timeline, &next) < next.count || next.count != p->timeline.count)
            change(p, &next, &effects, arena);
        assert_false(effects.missed_window);
        figures_apply(figures, &effects);
    }
}

static void late_events_equal_one_derivation(struct arena *arena)
{
    struct timeline t, rest = {.count = 0};
    struct person p = {.every = 1 + draw(6)};
    struct figures figures;
    struct journey_effects effects;
    figures_open(&figures);
    journey_effects_init(&effects, arena);
    random_timeline(&t);
    uint32_t late = 1 + draw(10);
    struct timeline first = {.count = 0};
    for (size_t i = 0; i < t.count; i++) {
        struct timeline *to = draw(10) < late ? &rest : &first;
        to->items[to->count++] = t.items[i];
    }
    append(&p, first.items, first.count, &effects, arena);
    figures_apply(&figures, &effects);
    grow_in_any_order(&p, &rest, &figures, arena);
    check_person(&p, &figures, arena);
    figures_close(&figures);
}

static void union_of(const struct timeline *a, const struct timeline *b, struct timeline *out)
{
    *out = *a;
    for (size_t i = 0; i < b->count; i++)
        out->items[out->count++] = b->items[i];
    settle(out);
}

/* Both people in one set of effects, like in one transaction. */
static void change_both(struct person *a, const struct timeline *to_a, struct person *b,
                        const struct timeline *to_b, struct figures *figures, struct arena *arena)
{
    struct journey_effects effects;
    journey_effects_init(&effects, arena);
    if (draw(2)) {
        change(a, to_a, &effects, arena);
        change(b, to_b, &effects, arena);
    } else {
        change(b, to_b, &effects, arena);
        change(a, to_a, &effects, arena);
    }
    assert_false(effects.missed_window);
    figures_apply(figures, &effects);
}

static void merges_and_splits_equal_one_derivation(struct arena *arena)
{
    struct timeline ta, tb, both, none = {.count = 0};
    struct person a = {.every = 1 + draw(6)}, b = {.every = 1 + draw(6)};
    struct figures figures;
    struct journey_effects effects;
    random_timeline(&ta);
    random_timeline(&tb);
    for (size_t i = 0; i < ta.count; i++)
        ta.items[i].key.anchor += 10;
    if (ta.count == 0 || tb.count == 0)
        return;
    union_of(&ta, &tb, &both);
    figures_open(&figures);
    journey_effects_init(&effects, arena);
    append(&a, ta.items, ta.count, &effects, arena);
    append(&b, tb.items, tb.count, &effects, arena);
    figures_apply(&figures, &effects);

    change_both(&a, &none, &b, &both, &figures, arena);
    check_person(&b, &figures, arena);

    change_both(&a, &ta, &b, &tb, &figures, arena);
    struct outcome_of want_a = expected(&ta, arena), want_b = expected(&tb, arena);
    struct figures sum;
    struct journey_state state;
    figures_open(&sum);
    derive_full(&ta, &state, &sum, arena);
    assert_same_text(state_text(&state, arena), want_a.state);
    derive_full(&tb, &state, &sum, arena);
    assert_same_text(figures_text(&figures, arena), figures_text(&sum, arena));
    load(a.packed, &state, arena);
    assert_same_text(state_text(&state, arena), want_a.state);
    load(b.packed, &state, arena);
    assert_same_text(state_text(&state, arena), want_b.state);
    figures_close(&sum);
    figures_close(&figures);
}

/* Every second timeline is told by clocks that change, one of them across midnight. */
static const struct zone *zone_of_seed(unsigned long seed)
{
    static const struct instant at[] = {{1 * US_PER_DAY},
                                        {30 * US_PER_DAY + 3600 * US_PER_SECOND},
                                        {200 * US_PER_DAY},
                                        {400 * US_PER_DAY}};
    static const int32_t offset[] = {-4 * 3600, -5 * 3600, 19 * 3600, -5 * 3600};
    static const struct zone changing = {-5 * 3600, 4, at, offset};
    return seed % 2 ? &changing : &zone_utc;
}

static void run_seeds(void (*property)(struct arena *arena))
{
    const char *only = getenv("JOURNEY_SEED"), *number = getenv("JOURNEY_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = number ? strtoul(number, NULL, 10) : DEFAULT_SEEDS;
    struct arena arena = {0};
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++) {
        static const uint32_t tails[] = {1, 2, 3, POLICY_TAIL_MAX};
        dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
        world.policy.zone = *zone_of_seed(seed);
        world.policy.tail_max = tails[draw(4)];
        fprintf(stderr, "\r%lu ", seed); /* the last one printed is the one that failed */
        property(&arena);
        arena_reset(&arena);
    }
    fprintf(stderr, "\r");
    arena_free(&arena);
}

static void test_batches(void **state)
{
    run_seeds(batches_equal_one_derivation);
}

static void test_late_events(void **state)
{
    early_stops = 0;
    run_seeds(late_events_equal_one_derivation);
    if (getenv("JOURNEY_SEED") == NULL)
        assert_true(early_stops > 100); /* else the early stop would not be tested */
}

static void test_merges_and_splits(void **state)
{
    run_seeds(merges_and_splits_equal_one_derivation);
}

static const char segments[] =
    "{\"segments\":["
    "{\"id\":\"recent\",\"figures\":true,"
    "\"when\":{\"did\":{\"events\":[\"Order Completed\"]},\"within\":\"P30D\"}},"
    "{\"id\":\"often\",\"figures\":true,"
    "\"when\":{\"did\":{\"direction\":\"inbound\"},\"at_least\":3,\"within\":\"P7D\"}},"
    "{\"id\":\"gold\",\"figures\":true,"
    "\"when\":{\"spent\":{\"events\":[\"Order Completed\",\"Order Returned\",\"Order Refunded\"]},"
    "\"measure\":\"value\",\"currency\":\"USD\",\"at_least\":\"0.00001\",\"within\":\"P28D\"}},"
    "{\"id\":\"cheap\","
    "\"when\":{\"spent\":{\"categories\":[\"home\"]},"
    "\"measure\":\"margin\",\"currency\":\"EUR\",\"below\":\"0.00001\",\"within\":\"P1D\"}},"
    "{\"id\":\"complaining\",\"when\":{\"open\":{\"events\":[\"Complaint Filed\"]},"
    "\"until\":{\"events\":[\"Order Completed\",\"Order Returned\"]},\"within\":\"P30D\"}},"
    "{\"id\":\"happy\",\"when\":{\"last_score\":{\"at_least\":80},\"within\":\"P28D\"}},"
    "{\"id\":\"prospect\",\"figures\":true,\"when\":{\"all\":[{\"new_within\":\"P30D\"},"
    "{\"not\":{\"stage_at_least\":\"purchase\"}}]}},"
    "{\"id\":\"away\",\"when\":{\"status\":[\"at_risk\",\"lapsed\"]}},"
    "{\"id\":\"quiet_gold\",\"when\":{\"all\":[{\"segment\":\"gold\"},"
    "{\"not\":{\"segment\":\"complaining\"}}]}}]}";

static void add_shapes(void)
{
    static const char *const events[] = {"Page",
                                         "Page",
                                         "Product Viewed",
                                         "Order Completed",
                                         "Order Completed",
                                         "Loan Funded",
                                         "Account Created",
                                         "Complaint Filed",
                                         "Account Closed",
                                         "Review Submitted",
                                         "Campaign Sent",
                                         "Campaign Sent",
                                         "Order Completed",
                                         "Order Returned",
                                         "Order Refunded"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        world_event(&world, events[i]);
    world_shape(&world, &(struct shape_text){.type = SPAN("identify"), .channel = SPAN("crm")});
    world_shape(&world, &(struct shape_text){.type = SPAN("track"),
                                             .event_name = SPAN("Contact Requested"),
                                             .channel = SPAN("email")});
    static const char *const deliveries[] = {"Contact Sent", "Contact Sent", "Contact Failed"};
    for (size_t i = 0; i < 6; i++)
        world_shape(&world, &(struct shape_text){.type = SPAN("track"),
                                                 .event_name = span_of(deliveries[i % 3]),
                                                 .channel = SPAN("email"),
                                                 .campaign_id = span_of(i < 3 ? "8" : "9")});
    world_shape(&world, &(struct shape_text){.type = SPAN("track"),
                                             .event_name = SPAN("Email Bounced"),
                                             .direction = SPAN("outbound"),
                                             .channel = SPAN("email")});
    world_shape(&world, &(struct shape_text){.type = SPAN("page"),
                                             .channel = SPAN("app"),
                                             .campaign_id = SPAN("13"),
                                             .is_bot = true});
    world_shape(&world, &(struct shape_text){.type = SPAN("page"),
                                             .channel = SPAN("app"),
                                             .campaign_id = SPAN("13"),
                                             .department = SPAN("web"),
                                             .purpose = SPAN("brand")});
    world_shape(&world, &(struct shape_text){.type = SPAN("page"),
                                             .channel = SPAN("web"),
                                             .has_click_id = true,
                                             .click_network = SPAN("google"),
                                             .score_kind = SPAN("nps")});
    world_shape(&world, &(struct shape_text){.type = SPAN("track"),
                                             .event_name = SPAN("Order Completed"),
                                             .channel = SPAN("web"),
                                             .department = SPAN("web"),
                                             .currency = SPAN("EUR")});
    world_shape(&world, &(struct shape_text){.type = SPAN("page"),
                                             .channel = SPAN("email"),
                                             .campaign_id = SPAN("8"),
                                             .host = SPAN("google.com"),
                                             .device_type = SPAN("mobile")});
    world_shape(&world, &(struct shape_text){.source = SPAN("urn:till"),
                                             .type = SPAN("track"),
                                             .event_name = SPAN("Order Completed"),
                                             .channel = SPAN("pos"),
                                             .currency = SPAN("USD")});
    world_shape(&world, &(struct shape_text){.source = SPAN("urn:till"),
                                             .type = SPAN("track"),
                                             .event_name = SPAN("Order Returned"),
                                             .channel = SPAN("pos"),
                                             .currency = SPAN("USD")});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_late_events),
        cmocka_unit_test(test_merges_and_splits),
    };
    world_open_goals(&world, segments);
    world.policy.credit.models |= 1 << MODEL_POSITION_BASED | 1 << MODEL_TIME_DECAY;
    world_follow_paths(&world);
    add_shapes();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_close(&world);
    return failed;
}
