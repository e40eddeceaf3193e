/* journey_flush_test.c: whatever way the same facts and moves reach journey-tracker, its tables and
 * the sum of its diffs equal one derivation from the beginning. Random touches of a few anchors
 * (equal times, late ones, repeats, conversions with cut tails), random merges, splits and renamed
 * profiles in any order, two trackers with caches of their own that know too little, in turn or at
 * once. FLUSH_SEED runs one seed, FLUSH_SEEDS sets their number. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/codec/cells.h"
#include "common/codec/compress.h"
#include "common/codec/messages.h"
#include "common/runtime/telemetry.h"
#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/journey_saving.h"
#include "services/journey-tracker/policy/journey_orchestration.h"
#include "tests/support/database.h"
#include "tests/support/journey_world.h"
#include "tests/support/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    DEFAULT_SEEDS = 300,
    ANCHORS = 6,
    IDS = ANCHORS + 2, /* two are never an anchor, but may name a profile */
    NOBODY = IDS,      /* the anchor of a touch without identifiers */
    TOUCHES = 70,
    CHANGES = 12,
    ITEMS = 2 * (TOUCHES + CHANGES),
    TRACKERS = 2,
    LANES = 3
};

static const char generation[] = "00000000-0000-0000-0000-0000000000c1";

/* ---- what happens in one seed ---- */
struct change {
    int64_t version;
    uint32_t profile[IDS]; /* of every id, as an index into ids, once this version is known */
    /* version of every id's last move up to then; odd: its profile is shared, its touches count for
     * nothing; with the bit 2: its profile is identified */
    int64_t newest[IDS];
    bool is_person[IDS];
};

/* A delivery of a touch or of a change, maybe a repeated one. */
struct item {
    int64_t position;
    bool is_change;
    /* touch or change; a touch is delivered with the map of changes[known] */
    uint32_t index, known;
};

struct story {
    struct id ids[IDS + 1];               /* [NOBODY]: nil */
    struct journey_fact touches[TOUCHES]; /* anchor and shape are set later */
    uint32_t anchor[TOUCHES], kind[TOUCHES];
    size_t touch_count;
    struct change changes[CHANGES + 1]; /* [0]: everybody alone */
    size_t change_count;
    struct item items[ITEMS];
    size_t item_count;
};

static struct scratch scratch;
static struct journey_world world;
static struct touchpoint kinds[32];
static size_t kind_count;
static struct random dice;
static struct story story;
static struct err err;
static struct tracker trackers[TRACKERS];
static struct db *db; /* of the checks */

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

static struct id random_id(void)
{
    struct id id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)draw(256);
    return id;
}

static int64_t random_gap(void)
{
    const int64_t hour = 3600 * US_PER_SECOND;
    const int64_t gaps[] = {0,
                            0,
                            1,
                            hour / 2,
                            hour / 2 + 1,
                            hour,
                            hour,
                            hour,
                            hour * 9,
                            US_PER_DAY,
                            2 * US_PER_DAY,
                            7 * US_PER_DAY,
                            28 * US_PER_DAY,
                            30 * US_PER_DAY,
                            30 * US_PER_DAY + 1,
                            56 * US_PER_DAY,
                            366 * US_PER_DAY};
    if (draw(10) < 6)
        return 0;
    return gaps[draw(3) ? draw(11) : draw(COUNT(gaps))];
}

/* Makes the touch a copy of an earlier message of its time, if that did not come under its anchor
 * yet. */
static void repeat_one(size_t i, struct journey_fact *t)
{
    size_t other = draw((uint32_t)i);
    struct fact_key key = story.touches[other].key;
    if (key.occurred_at.us != t->key.occurred_at.us)
        return;
    for (size_t j = 0; j < i; j++)
        if (story.anchor[j] == story.anchor[i] &&
            id_equal(&story.touches[j].key.event_id, &key.event_id))
            return;
    t->key = key;
}

/* One event id in three ends in a zero byte: a checkpoint. One touch in four repeats a message of
 * its time under another anchor. */
static void random_touches(void)
{
    static const int64_t amounts[] = {INT64_MIN, -7, 0, 1, 10, 1000001};
    int64_t at = INT64_C(1700000000) * US_PER_SECOND;
    story.touch_count = 5 + draw(TOUCHES - 5);
    for (size_t i = 0; i < story.touch_count; i++) {
        struct journey_fact *t = &story.touches[i];
        *t = (struct journey_fact){.key = {0, {at += random_gap()}, random_id()}};
        if (draw(3) == 0)
            t->key.event_id.bytes[15] = 0;
        story.anchor[i] = draw(3) ? draw(2) : draw(ANCHORS);
        if (draw(8) == 0)
            story.anchor[i] = NOBODY;
        if (i > 0 && draw(4) == 0)
            repeat_one(i, t);
        t->received_at = INSTANT_FIRST;
        t->received_at.us = INT64_MIN;
        t->value_micros = amounts[draw(6)];
        t->margin_micros = amounts[draw(6)];
        t->cost_micros = draw(3) ? INT64_MIN : (int64_t)draw(5);
        t->score = draw(3) ? INT16_MIN : (int16_t)(60 + 20 * draw(3));
        t->message_id = SPAN("m");
        t->decision_id = draw(3) == 0 ? SPAN("d1") : draw(2) ? SPAN("d2") : SPAN_NONE;
        t->order_id = draw(4) == 0 ? SPAN_NONE : draw(2) ? SPAN("o1") : SPAN("o2");
        story.kind[i] = draw((uint32_t)kind_count);
    }
}

/* What a change may do: unite two profiles, put one id elsewhere or into quarantine, rename a
 * profile, or say again what is known, which ends a quarantine. */
static void random_change(const struct change *last, struct change *next)
{
    uint32_t from = last->profile[draw(IDS)], to = last->profile[draw(IDS)], what = draw(5);
    bool is_moved[IDS] = {false}, is_shared = false;
    *next = *last;
    if (draw(6) == 0) /* another policy: the id is told again */
        next->is_person[draw(IDS)] ^= true;
    next->version = last->version + 4 * (1 + (int64_t)draw(3));
    if (what == 0) {
        uint32_t one = draw(IDS);
        is_moved[one] = true;
        is_shared = draw(2);
        next->profile[one] = draw(2) ? one : draw(2) ? to : last->profile[one];
    }
    for (uint32_t i = 0; i < IDS && what > 0; i++)
        if (last->profile[i] == from) {
            is_moved[i] = true;
            next->profile[i] = what == 1 ? last->profile[i] : to;
        }
    if (what == 2) /* rename: the name is any id that is no other profile's */
        for (uint32_t i = 0, name = draw(IDS); i < IDS; i++)
            if (is_moved[i])
                next->profile[i] = name;
    for (uint32_t i = 0; i < IDS; i++)
        is_moved[i] |= next->is_person[i] != last->is_person[i];
    for (uint32_t i = 0; i < IDS; i++)
        if (is_moved[i])
            next->newest[i] = next->version + is_shared + 2 * next->is_person[i];
}

static void random_changes(void)
{
    story.changes[0] = (struct change){0};
    for (uint32_t i = 0; i < IDS; i++) {
        story.ids[i] = random_id();
        story.changes[0].profile[i] = i;
        story.changes[0].is_person[i] = i < ANCHORS && draw(4) == 0;
        story.changes[0].newest[i] = 2 * story.changes[0].is_person[i];
    }
    story.change_count = draw(CHANGES + 1);
    for (size_t i = 1; i <= story.change_count; i++)
        random_change(&story.changes[i - 1], &story.changes[i]);
}

static int by_position(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

static void deliver(bool is_change, size_t index, int64_t position)
{
    uint32_t known = (uint32_t)((story.change_count + 1) * (size_t)draw(1000) / 1000);
    story.items[story.item_count++] = (struct item){position, is_change, (uint32_t)index, known};
}

/* In order of time, nearly so, or in any order; one in four comes twice. */
static void random_order(void)
{
    static const uint32_t jitters[] = {1, 1, 80, 100000};
    uint32_t jitter = jitters[draw(3)];
    story.item_count = 0;
    for (size_t i = 0; i < story.touch_count; i++)
        for (int again = 0; again < (draw(4) ? 1 : 2); again++)
            deliver(false, i, (int64_t)(10 * i + draw(jitter) + (again ? draw(300) : 0)));
    for (size_t i = 1; i <= story.change_count; i++)
        for (int again = 0; again < (draw(4) ? 1 : 2); again++)
            deliver(true, i, (int64_t)draw((uint32_t)(10 * story.touch_count + jitter)));
    qsort(story.items, story.item_count, sizeof *story.items, by_position);
}

/* ---- feeding the trackers ---- */
static void add_item(struct tracker *tracker, struct journey_flush *flush, const struct item *item)
{
    const struct change *known = &story.changes[item->is_change ? item->index : item->known];
    for (uint32_t i = 0; i < IDS && item->is_change; i++)
        if (known->newest[i] - known->newest[i] % 4 == known->version)
            *arena_push(flush->arena, &flush->moves) =
                (struct anchor_move){story.ids[i], story.ids[known->profile[i]], known->newest[i]};
    if (item->is_change)
        return;
    uint32_t anchor = story.anchor[item->index];
    bool is_known = anchor != NOBODY;
    struct arrival *a = arena_push(flush->arena, &flush->arrivals);
    *a = (struct arrival){
        .anchor_id = story.ids[anchor],
        .profile_id = story.ids[is_known ? known->profile[anchor] : NOBODY],
        .version = is_known ? known->newest[anchor] : 0,
        .shape = shapes_ref(tracker->shapes, flush->arena, &kinds[story.kind[item->index]]),
        .fact = story.touches[item->index]};
    a->fact.key.anchor = id_short(&a->anchor_id);
}

/* A row of the outbox is a transaction; what a later one takes back must not be told before it. */
static void expect_in_order(const struct told_messages *told)
{
    for (size_t i = 1; i < told->count; i++)
        assert_true(told->items[i - 1].id <= told->items[i].id);
}

/* As the service does; an error means the batch is run again from its messages. */
static void flush_items(struct tracker *tracker, const struct item *items, size_t count,
                        int32_t lane)
{
    struct arena arena = {0};
    struct err own = {0};
    for (int tries = 0;; tries++, arena_reset(&arena)) {
        struct journey_flush flush = {.arena = &arena, .lane = lane};
        shapes_forget_batch(tracker->shapes);
        for (size_t i = 0; i < count; i++)
            add_item(tracker, &flush, &items[i]);
        enum outcome outcome = shapes_settle(tracker->shapes, &arena, &tracker->generation, &own);
        for (size_t i = 0; i < flush.arrivals.count && outcome == OUTCOME_OK; i++)
            flush.arrivals.items[i].fact.shape =
                (int32_t)flush.arrivals.items[i].shape->shape->code;
        if (outcome == OUTCOME_OK)
            outcome = tracker_flush(tracker, &flush, &own);
        if (outcome == OUTCOME_OK) {
            expect_in_order(&flush.told);
            break;
        }
        if (outcome != OUTCOME_RETRY || tries == 20) {
            fprintf(stderr, "flush: %d %s %s\n", (int)outcome, own.code, own.message);
            abort();
        }
    }
    shapes_forget_batch(tracker->shapes);
    arena_free(&arena);
}

static void restart(struct tracker *tracker)
{
    static const size_t sizes[] = {64, 6000, 1 << 20, 1 << 20};
    journey_cache_close(&tracker->cache);
    arena_free(&tracker->scratch);
    journey_cache_open(&tracker->cache, sizes[draw(COUNT(sizes))]);
    tracker->careful_flushes = 0;
}

static void run_in_turn(void)
{
    /* how seldom the other tracker comes between */
    uint32_t most = 1 + draw(14), faithful = 1 + draw(20);
    for (size_t i = 0, n; i < story.item_count; i += n) {
        struct tracker *tracker = &trackers[draw(faithful) == 0 ? draw(TRACKERS) : 0];
        if (draw(20) == 0)
            restart(tracker);
        n = 1 + draw(most);
        n = n < story.item_count - i ? n : story.item_count - i;
        flush_items(tracker, story.items + i, n, (int32_t)draw(LANES));
    }
}

/* Each takes everything, in the same batches: the other's work is found done, half done, or in the
 * way. */
static void *run_all(void *arg)
{
    struct tracker *tracker = arg;
    for (size_t i = 0; i < story.item_count; i += 7)
        flush_items(tracker, story.items + i, story.item_count - i < 7 ? story.item_count - i : 7,
                    (int32_t)(tracker - trackers));
    return NULL;
}

static void run_at_once(void)
{
    pthread_t threads[TRACKERS];
    for (size_t i = 0; i < TRACKERS; i++)
        if (pthread_create(&threads[i], NULL, run_all, &trackers[i]) != 0)
            abort();
    for (size_t i = 0; i < TRACKERS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- what must come out ---- */
struct lines {
    const char **items;
    size_t count, capacity;
};

static const char *hex(struct arena *arena, struct span bytes)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < bytes.len; i++)
        strbuf_addf(&text, "%02x", (unsigned char)bytes.ptr[i]);
    pack_byte(&text, 0);
    return text.ptr;
}

static const char *uuid(struct arena *arena, const struct id *id)
{
    char text[37];
    id_to_uuid(id, text);
    return arena_printf(arena, "%s", text);
}

static const char *const stages[] = {"-",          "inquiry",   "consideration", "purchase",
                                     "onboarding", "retention", "loyalty",       "advocacy"};

static void expect_changes(struct arena *arena, const struct journey_effects *effects,
                           struct lines *lines)
{
    for (size_t i = 0; i < effects->orders.count; i++) {
        const struct order_change *c = &effects->orders.items[i];
        bool known = instant_compare(c->order.at, INSTANT_FIRST) != 0;
        int64_t margin = c->margin == MICROS_ABSENT ? 0 : c->margin;
        *arena_push(arena, lines) = arena_printf(
            arena,
            "change %lld %lld %s %d %d %d %lld %s %u %u %u %d %lld %lld %lld %lld %lld %u %s",
            (long long)c->key.anchor, (long long)c->key.at.us, uuid(arena, &c->key.event_id),
            c->is_return, c->is_full, c->is_repeat, (long long)(known ? c->order.anchor : 0),
            known ? uuid(arena, &c->order.event_id) : "-", c->goal, c->seller, c->money, c->share,
            (long long)c->value, (long long)margin, (long long)c->value_before,
            (long long)c->margin_before, (long long)c->over, c->touch_count,
            hex(arena, c->touches));
    }
}

static const char *offer_line(struct arena *arena, const struct id *id, struct span state,
                              int64_t effective_at)
{
    return arena_printf(arena, "told opportunity %s " SPAN_FMT " %lld", uuid(arena, id),
                        SPAN_ARG(state), (long long)effective_at);
}

/* The last step of each, but for covered triggers, is told. */
static void expect_offers(struct arena *arena, const struct opportunity_rows *rows,
                          struct lines *lines)
{
    static const char *const states[] = {[STEP_OPENED] = "open",
                                         [STEP_ACCEPTED] = "accepted",
                                         [STEP_WON] = "won",
                                         [STEP_CANCELLED] = "cancelled",
                                         [STEP_DECLINED] = "declined"};
    struct map last;
    map_init(&last, arena, sizeof(struct id), sizeof(struct opportunity_row));
    for (size_t i = 0; i < rows->count; i++) {
        const struct opportunity_row *row = &rows->items[i];
        *arena_push(arena, lines) = arena_printf(
            arena, "opportunity %s %d %lld %u %u %lld %lld %s", uuid(arena, &row->id), row->step,
            (long long)row->trigger.anchor, row->rule_code, row->code, (long long)row->by.anchor,
            (long long)row->by.at.us, uuid(arena, &row->by.event_id));
        if (row->step != STEP_COVERED)
            *(struct opportunity_row *)map_put(&last, &row->id, NULL) = *row;
    }
    const struct opportunity_row *row;
    for (size_t cursor = 0; (row = map_next(&last, &cursor, NULL));)
        *arena_push(arena, lines) =
            offer_line(arena, &row->id, span_of(states[row->step]), row->by.at.us);
}

static void expect_rows(struct arena *arena, const struct journey_effects *effects,
                        struct lines *lines)
{
    expect_changes(arena, effects, lines);
    expect_offers(arena, &effects->opportunities, lines);
    static const int reasons[] = {
        [REASON_RULE] = 1, [REASON_AT_RISK] = 2, [REASON_LAPSED] = 2, [REASON_EXIT] = 3};
    for (size_t i = 0; i < effects->conversions.count; i++) {
        const struct conversion_row *c = &effects->conversions.items[i];
        *arena_push(arena, lines) =
            arena_printf(arena, "conversion %lld %lld %s %u %d %u %u %s", (long long)c->key.anchor,
                         (long long)c->key.at.us, uuid(arena, &c->key.event_id), c->goal,
                         c->is_first, c->stage_before, c->eligible_count, hex(arena, c->eligible));
    }
    for (size_t i = 0; i < effects->stages.count; i++) {
        const struct stage_row *s = &effects->stages.items[i];
        *arena_push(arena, lines) = arena_printf(
            arena, "stage %s %s %lld %u %lld %u %u %u %u %u %d %lld", uuid(arena, &s->id),
            uuid(arena, &s->touch.event_id), (long long)s->touch.anchor, s->journey_number,
            (long long)s->changed_at.us, s->position, s->from_stage, s->to_stage, s->from_status,
            s->to_status, reasons[s->reason], (long long)s->seconds_in_stage);
        if (s->from_stage != s->to_stage)
            *arena_push(arena, lines) = arena_printf(
                arena, "told %s %s %s %lld", uuid(arena, &s->touch.event_id), stages[s->from_stage],
                stages[s->to_stage], (long long)s->changed_at.us);
    }
}

static int touch_compare(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

static struct touch touch_of(struct arena *arena, size_t index)
{
    struct touch touch;
    struct journey_fact fact = story.touches[index];
    struct shape_ref *ref = shapes_ref(trackers[0].shapes, arena, &kinds[story.kind[index]]);
    database_must(shapes_settle(trackers[0].shapes, arena, &trackers[0].generation, &err), &err);
    fact.key.anchor = id_short(&story.ids[story.anchor[index]]);
    fact.shape = (int32_t)ref->shape->code;
    database_must(convert_touch(&trackers[0], arena, &fact, &touch, &err), &err);
    return touch;
}

static bool same_message(const struct touch_key *a, const struct touch_key *b)
{
    return a->at.us == b->at.us && id_equal(&a->event_id, &b->event_id);
}

/* 0: of a known customer, 1: of a shared profile, 2: of nobody. */
static int obscurity(size_t index)
{
    uint32_t anchor = story.anchor[index];
    if (anchor == NOBODY)
        return 2;
    return version_is_shared(story.changes[story.change_count].newest[anchor]);
}

/* The touch that owns the sale of this one. */
static size_t owner_of(struct arena *arena, size_t index)
{
    size_t owner = index;
    struct touch best = touch_of(arena, index);
    for (size_t i = 0; i < story.touch_count; i++) {
        struct touch one = touch_of(arena, i);
        if (!one.is_sale || !same_message(&one.key, &best.key))
            continue;
        int c = obscurity(owner) - obscurity(i);
        if (c == 0)
            c = one.key.rank - best.key.rank;
        if (c > 0 || (c == 0 && one.key.anchor < best.key.anchor)) {
            owner = i;
            best = one;
        }
    }
    return owner;
}

static void expect_sales(struct arena *arena, struct journey_effects *effects, struct lines *lines)
{
    for (size_t i = 0; i < story.touch_count; i++) {
        struct touch touch = touch_of(arena, i);
        if (!touch.is_sale)
            continue;
        bool owns = owner_of(arena, i) == i;
        *arena_push(arena, lines) = arena_printf(
            arena, "%s %lld %lld %s", owns ? "owner" : "copy", (long long)touch.key.anchor,
            (long long)touch.key.at.us, uuid(arena, &touch.key.event_id));
        if (owns && obscurity(i) > 0)
            journey_alone(&trackers[0].policy, &touch, effects);
    }
}

/* True if another touch of the list is the same message, and stays instead. */
static bool is_repeat(const struct touch *one, const struct touch *touches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct touch_key *a = &one->key, *b = &touches[i].key;
        int c = b->rank - a->rank;
        if (c == 0)
            c = touches[i].is_sale - one->is_sale;
        if (same_message(a, b) && (c > 0 || (c == 0 && b->anchor < a->anchor)))
            return true;
    }
    return false;
}

static size_t without_repeats(struct arena *arena, struct touch *touches, size_t n,
                              struct lines *lines)
{
    struct touch *all = arena_array(arena, struct touch, n);
    size_t kept = 0;
    memcpy(all, touches, n * sizeof *touches);
    for (size_t i = 0; i < n; i++)
        if (!is_repeat(&all[i], all, n))
            touches[kept++] = all[i];
        else
            *arena_push(arena, lines) =
                arena_printf(arena, "repeat %lld %lld %s", (long long)all[i].key.anchor,
                             (long long)all[i].key.at.us, uuid(arena, &all[i].key.event_id));
    return kept;
}

/* The whole timeline of a profile, in order. */
static size_t timeline_of(struct arena *arena, uint32_t profile, struct touch *touches,
                          struct lines *lines)
{
    const struct change *last = &story.changes[story.change_count];
    size_t n = 0;
    for (size_t i = 0; i < story.touch_count; i++) {
        if (obscurity(i) > 0 || last->profile[story.anchor[i]] != profile)
            continue;
        touches[n] = touch_of(arena, i);
        size_t owner = owner_of(arena, i);
        if (touches[n].is_sale && last->profile[story.anchor[owner]] != profile)
            touches[n].shape = shape_without_sale(&trackers[0].policy, arena, touches[n].shape);
        n++;
    }
    qsort(touches, n, sizeof *touches, touch_compare);
    return without_repeats(arena, touches, n, lines);
}

/* Whether the map has this id: it was an anchor, or it moved. */
static bool is_met(uint32_t id)
{
    bool is_met = story.changes[story.change_count].newest[id] >= 4;
    for (size_t i = 0; i < story.touch_count; i++)
        is_met |= story.anchor[i] == id;
    return is_met;
}

static bool is_identified(uint32_t profile)
{
    const struct change *last = &story.changes[story.change_count];
    for (uint32_t i = 0; i < IDS; i++)
        if (is_met(i) && last->profile[i] == profile && version_is_person(last->newest[i]) &&
            !version_is_shared(last->newest[i]))
            return true;
    return false;
}

static void expect_profile(struct arena *arena, uint32_t profile, struct journey_effects *effects,
                           struct lines *lines)
{
    struct touch touches[TOUCHES];
    struct journey_state state;
    size_t n = timeline_of(arena, profile, touches, lines);
    journey_state_init(&state, arena);
    state.tail.unbounded = true;
    state.is_identified = is_identified(profile);
    for (size_t i = 0; i < n; i++) {
        journey_advance(&trackers[0].policy, &state, &touches[i], effects);
        bool is_last = i + 1 == n || touches[i + 1].key.at.us != touches[i].key.at.us;
        if (is_last && state.is_checkpoint)
            *arena_push(arena, lines) = arena_printf(arena, "checkpoint %lld %lld",
                                                     (long long)id_short(&story.ids[profile]),
                                                     (long long)touches[i].key.at.us);
    }
    journey_trailing(&trackers[0].policy, &state, effects);
    *arena_push(arena, lines) =
        arena_printf(arena, "state %lld %s", (long long)id_short(&story.ids[profile]),
                     hex(arena, convert_pack(&trackers[0], arena, &state)));
}

static void expect_anchors(struct arena *arena, struct lines *lines)
{
    const struct change *last = &story.changes[story.change_count];
    for (uint32_t a = 0; a < IDS; a++)
        if (is_met(a))
            *arena_push(arena, lines) =
                arena_printf(arena, "anchor %s %s %lld", uuid(arena, &story.ids[a]),
                             uuid(arena, &story.ids[last->profile[a]]), (long long)last->newest[a]);
    for (size_t i = 0; i < story.touch_count; i++)
        *arena_push(arena, lines) =
            arena_printf(arena, "fact %s", uuid(arena, &story.touches[i].key.event_id));
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void cell_lines(struct arena *arena, const struct journey_effects *effects,
                       struct lines *lines)
{
    struct cell cell;
    for (size_t cursor = 0; journey_effects_next(effects, &cursor, &cell);) {
        struct strbuf text = {.arena = arena};
        strbuf_addf(&text, "cell %u %d:", cell.key.family, cell.key.period);
        for (int d = 0; d < CELL_DIMS; d++)
            strbuf_addf(&text, " %u", cell.key.dims[d]);
        strbuf_addf(&text, " =");
        for (int v = 0; v < CELL_VALUES; v++)
            strbuf_addf(&text, " %lld", (long long)cell.values[v]);
        pack_byte(&text, 0);
        *arena_push(arena, lines) = text.ptr;
    }
}

static void expect(struct arena *arena, struct lines *lines)
{
    struct journey_effects effects;
    journey_effects_init(&effects, arena);
    shapes_forget_batch(trackers[0].shapes);
    for (uint32_t p = 0; p < IDS; p++)
        expect_profile(arena, p, &effects, lines);
    expect_sales(arena, &effects, lines);
    shapes_forget_batch(trackers[0].shapes);
    expect_rows(arena, &effects, lines);
    expect_anchors(arena, lines);
    cell_lines(arena, &effects, lines);
    qsort(lines->items, lines->count, sizeof *lines->items, line_compare);
}

/* ---- what came out ---- */
static struct db_result *query(struct arena *arena, const char *name, const char *sql)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    database_must(db_run(db, &(struct statement){name, sql}, &p, &r, NULL, &err), &err);
    return r;
}

/* Sum of all numbered diffs; each lane's numbers are 1, 2, 3, ... */
static void sum_diffs(struct arena *arena, struct lines *lines)
{
    struct journey_effects sum;
    journey_effects_init(&sum, arena);
    struct db_result *r =
        query(arena, "test_diffs",
              "SELECT seq, seq - rank() OVER (PARTITION BY lane ORDER BY seq), payload"
              " FROM journey.outbox ORDER BY lane, seq");
    for (int i = 0; i < db_rows(r); i++) {
        struct journey_diff diff;
        struct span packed;
        struct cell *cells;
        size_t count;
        assert_int_equal(db_int8(r, i, 1), 0);
        database_must(journey_diff_decode(db_bytes(r, i, 2), &diff, &err), &err);
        assert_int_equal(diff.seq, db_int8(r, i, 0));
        database_must(lz4_unpack(arena, diff.cells, diff.raw_size, &packed, &err), &err);
        database_must(cells_unpack(arena, packed, &cells, &count, &err), &err);
        for (size_t c = 0; c < count; c++) {
            int64_t *values = map_put(&sum.cells, &cells[c].key, NULL);
            for (int v = 0; v < CELL_VALUES; v++)
                values[v] += cells[c].values[v];
        }
    }
    cell_lines(arena, &sum, lines);
}

static struct span or_dash(struct span name)
{
    return name.len > 0 ? name : SPAN("-");
}

/* What stands of all that was told: of each change the largest version, in whatever order one
 * reads. */
static void read_told(struct arena *arena, struct lines *lines)
{
    struct map newest;
    struct told_messages told = {0};
    map_init(&newest, arena, sizeof(struct id), sizeof(struct stage_change_message));
    database_must(journey_store_find_messages_of(db, arena, story.ids, IDS, &told, &err), &err);
    for (size_t i = told.count; i-- > 0;) {
        struct stage_change_message message;
        bool is_first;
        if (told.items[i].topic != TOLD_STAGES)
            continue;
        database_must(stage_change_decode(told.items[i].payload, &message, &err), &err);
        struct stage_change_message *known = map_put(
            &newest, id_is_nil(&message.retracts) ? &message.id : &message.retracts, &is_first);
        assert_true(is_first || message.version != known->version);
        if (is_first || message.version > known->version)
            *known = message;
    }
    const struct stage_change_message *message;
    for (size_t cursor = 0; (message = map_next(&newest, &cursor, NULL));)
        if (id_is_nil(&message->retracts))
            *arena_push(arena, lines) = arena_printf(
                arena, "told %s " SPAN_FMT " " SPAN_FMT " %lld",
                uuid(arena, &message->touchpoint_id), SPAN_ARG(or_dash(message->from_stage)),
                SPAN_ARG(or_dash(message->stage)), (long long)message->effective_at);
}

/* The same of opportunities, each of which is told in one word. */
static void read_offers(struct arena *arena, struct lines *lines)
{
    struct map newest;
    struct told_messages told = {0};
    map_init(&newest, arena, sizeof(struct id), sizeof(struct opportunity_change_message));
    database_must(journey_store_find_messages_of(db, arena, story.ids, IDS, &told, &err), &err);
    for (size_t i = told.count; i-- > 0;) {
        struct opportunity_change_message message;
        bool is_first;
        if (told.items[i].topic != TOLD_OPPORTUNITIES)
            continue;
        database_must(opportunity_change_decode(told.items[i].payload, &message, &err), &err);
        struct opportunity_change_message *known = map_put(&newest, &message.id, &is_first);
        assert_true(is_first || message.version != known->version);
        if (is_first || message.version > known->version)
            *known = message;
    }
    const struct opportunity_change_message *message;
    for (size_t cursor = 0; (message = map_next(&newest, &cursor, NULL));)
        if (id_is_nil(&message->retracts))
            *arena_push(arena, lines) =
                offer_line(arena, &message->id, message->state, message->effective_at);
}

static const char tables[] =
    "SELECT concat_ws(' ', 'conversion', anchor, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint, event_id, goal,"
    " is_first::integer, stage_before, touch_count, encode(touches, 'hex')) FROM "
    "journey.conversions"
    " UNION ALL SELECT concat_ws(' ', 'change', anchor, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint, event_id, is_return::integer, is_full::integer, is_repeat::integer,"
    " coalesce(order_anchor, 0), coalesce(order_event_id::text, '-'), goal, seller_shape, "
    "money_shape, share, value_micros, coalesce(margin_micros, 0), value_before, margin_before,"
    " over_micros, touch_count, encode(touches, 'hex')) FROM journey.order_changes"
    " UNION ALL SELECT concat_ws(' ', 'stage', stage_change_id, touchpoint_id, anchor, "
    "journey_number,"
    " (extract(epoch FROM changed_at) * 1000000)::bigint, position, from_stage, to_stage, "
    "from_status, "
    "to_status, reason,"
    " coalesce(seconds_in_stage, -1)) FROM journey.stage_changes"
    " UNION ALL SELECT concat_ws(' ', 'checkpoint', profile, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint)"
    " FROM journey.checkpoints"
    " UNION ALL SELECT concat_ws(' ', 'opportunity', opportunity_id, step, anchor, rule, offer, "
    "by_anchor, (extract(epoch FROM by_at) * 1000000)::bigint, by_event_id)"
    " FROM journey.opportunities"
    " UNION ALL SELECT concat_ws(' ', 'repeat', anchor, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint, event_id) FROM journey.repeats"
    " UNION ALL SELECT concat_ws(' ', 'owner', anchor, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint, event_id) FROM journey.sales"
    " UNION ALL SELECT concat_ws(' ', 'copy', anchor, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint, event_id) FROM journey.sale_copies"
    " UNION ALL SELECT concat_ws(' ', 'state', profile, encode(payload, 'hex')) FROM journey.states"
    " UNION ALL SELECT concat_ws(' ', 'anchor', anchor_id, profile_id, version) FROM "
    "journey.anchors"
    " UNION ALL SELECT concat_ws(' ', 'fact', event_id) FROM journey.facts";

static void observe(struct arena *arena, struct lines *lines)
{
    struct db_result *r = query(arena, "test_tables", tables);
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, lines) = arena_printf(arena, SPAN_FMT, SPAN_ARG(db_bytes(r, i, 0)));
    sum_diffs(arena, lines);
    read_told(arena, lines);
    read_offers(arena, lines);
    qsort(lines->items, lines->count, sizeof *lines->items, line_compare);
}

/* A profile that nothing ever belonged to has no state; all others have one, an empty one where
 * everything left. */
static bool is_optional(struct arena *arena, const char *line)
{
    struct journey_state empty;
    journey_state_init(&empty, arena);
    const char *packed = hex(arena, convert_pack(&trackers[0], arena, &empty));
    size_t n = strlen(line), m = strlen(packed);
    return strncmp(line, "state ", 6) == 0 && n > m && strcmp(line + n - m, packed) == 0;
}

static size_t compare(struct arena *arena, const struct lines *have, const struct lines *want)
{
    size_t h = 0, w = 0, differences = 0;
    while (h < have->count || w < want->count) {
        int c = h == have->count   ? 1
                : w == want->count ? -1
                                   : strcmp(have->items[h], want->items[w]);
        if (c > 0 && is_optional(arena, want->items[w])) {
            w++;
            continue;
        }
        if (c != 0 && differences++ < 6)
            print_error("%s %s\n", c < 0 ? "have" : "want",
                        c < 0 ? have->items[h] : want->items[w]);
        h += c <= 0;
        w += c >= 0;
    }
    return differences;
}

/* ---- seeds ---- */
static void clear_tables(void)
{
    database_must(
        db_script(
            db,
            "DELETE FROM journey.facts; DELETE FROM journey.anchors; DELETE FROM journey.states;"
            "DELETE FROM journey.sales; DELETE FROM journey.sale_copies;"
            "DELETE FROM journey.checkpoints; DELETE FROM journey.conversions;"
            "DELETE FROM journey.order_changes;"
            "DELETE FROM journey.stage_changes; DELETE FROM journey.repeats; DELETE FROM "
            "journey.lanes; DELETE FROM "
            "journey.outbox;"
            "DELETE FROM journey.opportunities; DELETE FROM journey.message_outbox",
            &err),
        &err);
}

static void run_seed(unsigned long seed, void (*run)(void))
{
    static const uint32_t tails[] = {1, 2, 3, POLICY_TAIL_MAX};
    struct arena arena = {0};
    struct lines want = {0}, have = {0};
    dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
    uint32_t tail_max = tails[draw(COUNT(tails))];
    for (size_t i = 0; i < TRACKERS; i++) {
        trackers[i].policy.tail_max = tail_max;
        restart(&trackers[i]);
    }
    clear_tables();
    random_touches();
    random_changes();
    random_order();
    run();
    expect(&arena, &want);
    observe(&arena, &have);
    size_t differences = compare(&arena, &have, &want);
    if (differences)
        print_error("FLUSH_SEED=%lu: %zu differences\n", seed, differences);
    assert_int_equal(differences, 0);
    arena_free(&arena);
}

static void run_seeds(unsigned long part, void (*run)(void))
{
    const char *only = getenv("FLUSH_SEED"), *number = getenv("FLUSH_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = number ? strtoul(number, NULL, 10) : DEFAULT_SEEDS / part;
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++)
        run_seed(seed, run);
    const struct tracker *t = &trackers[0]; /* both count in the same metrics */
    print_message("seeds %lu to %lu: %.0f touches fast, %.0f slow, %.0f races lost, %.0f profiles "
                  "derived again\n",
                  from, from + (only ? 1 : count) - 1, metric_value(t->fast), metric_value(t->slow),
                  metric_value(t->fallbacks), metric_value(t->rederived));
    if (only == NULL && count >= 20) { /* else a path would not be tested */
        assert_true(metric_value(t->fast) > 0 && metric_value(t->slow) > 0);
        assert_true(metric_value(t->fallbacks) > 0 && metric_value(t->rederived) > 0);
    }
}

static void trackers_in_turn_equal_one_derivation(void **state)
{
    run_seeds(1, run_in_turn);
}

static void trackers_at_once_equal_one_derivation(void **state)
{
    run_seeds(3, run_at_once);
}

/* ---- a sender's error ---- */
static int64_t count_rows(const char *name, const char *sql)
{
    struct arena arena = {0};
    struct db_result *r = query(&arena, name, sql);
    int64_t n = db_int8(r, 0, 0);
    arena_free(&arena);
    return n;
}

/* Two people's touchpoints under one message id, in one flush: both facts count, nothing stops. */
static void one_message_id_for_two_people(void **state)
{
    const struct item items[] = {{0, false, 0, 0}, {1, false, 1, 0}};
    clear_tables();
    for (size_t i = 0; i < TRACKERS; i++)
        restart(&trackers[i]);
    memset(&story, 0, sizeof story);
    for (uint32_t i = 0; i < IDS; i++) {
        story.ids[i] = random_id();
        story.changes[0].profile[i] = i;
    }
    for (uint32_t i = 0; i < 2; i++) {
        story.anchor[i] = i;
        story.touches[i] =
            (struct journey_fact){.key = {0, {INT64_C(1700000000000000) + i}, {{1, 2, 3}}},
                                  .received_at = {INT64_MIN},
                                  .value_micros = INT64_MIN,
                                  .margin_micros = INT64_MIN,
                                  .cost_micros = INT64_MIN,
                                  .score = INT16_MIN,
                                  .message_id = SPAN("m")};
    }
    flush_items(&trackers[0], items, 2, 0);
    assert_int_equal(count_rows("test_count_facts", "SELECT count(*) FROM journey.facts"), 2);
    assert_int_equal(count_rows("test_count_stages", "SELECT count(*) FROM journey.stage_changes"),
                     2);
}

/* ---- shapes ---- */
static const char count_unmeant[] =
    "SELECT count(*) FROM journey.shapes AS s WHERE NOT EXISTS "
    "(SELECT FROM active.shape_meanings AS m WHERE m.shape = s.shape)";

static void a_new_shape_waits_for_the_policies_of_its_tracker(void **state)
{
    struct tracker *t = &trackers[0];
    struct arena arena = {0};
    struct generation older = {.number = t->generation.number - 1};
    struct touchpoint found = kinds[0];
    found.channel = SPAN("found-late");
    shapes_forget_batch(t->shapes);
    int64_t before = count_rows("test_count_shapes", "SELECT count(*) FROM journey.shapes");
    struct shape_ref *ref = shapes_ref(t->shapes, &arena, &found);
    assert_int_equal(shapes_settle(t->shapes, &arena, &older, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "generation_changed");
    assert_int_equal(count_rows("test_count_shapes", "SELECT count(*) FROM journey.shapes"),
                     before);
    database_must(shapes_settle(t->shapes, &arena, &t->generation, &err), &err);
    assert_non_null(ref->shape);
    assert_int_equal(count_rows("test_count_shapes", "SELECT count(*) FROM journey.shapes"),
                     before + 1);
    assert_int_equal(count_rows("test_count_unmeant", count_unmeant), 0);
    shapes_forget_batch(t->shapes);
    arena_free(&arena);
}

/* Another instance found it under the policies before, when this one had read the shapes. */
static void a_shape_without_a_meaning_gets_one(void **state)
{
    struct arena arena = {0};
    database_must(db_script(db,
                            "INSERT INTO journey.shapes (hash, source, type, event, channel, "
                            "has_click_id, is_bot) VALUES ('00000000-0000-0000-0000-0000000000ff', "
                            "'urn:late', 'track', 'Page', 'web', false, false)",
                            &err),
                  &err);
    assert_int_equal(count_rows("test_count_unmeant", count_unmeant), 1);
    database_must(shapes_write_missing(trackers[0].shapes, &arena, &err), &err);
    assert_int_equal(count_rows("test_count_unmeant", count_unmeant), 0);
    assert_int_equal(count_rows("test_count_late",
                                "SELECT count(*) FROM active.shapes WHERE source "
                                "= 'urn:late' AND touch_kind = 'web:Page'"),
                     1);
    arena_free(&arena);
}

/* ---- set-up ---- */
static void add_kind(struct touchpoint kind)
{
    kind.message_id = SPAN("m");
    kind.source = SPAN("urn:test");
    kind.original_at = kind.sent_at = kind.received_at = LONG_ABSENT;
    if (kind.type.ptr == NULL)
        kind.type = SPAN("track");
    if (kind.channel.ptr == NULL)
        kind.channel = SPAN("web");
    kinds[kind_count++] = kind;
}

static void add_kinds(void)
{
    const struct span pos = SPAN("pos"), mail = SPAN("direct_mail"),
                      order = SPAN("Order Completed");
    add_kind((struct touchpoint){.event_name = SPAN("Page")});
    add_kind((struct touchpoint){.event_name = SPAN("Product Viewed")});
    add_kind((struct touchpoint){.event_name = order, .channel = pos, .currency = SPAN("USD")});
    add_kind((struct touchpoint){
        .event_name = order, .department = SPAN("web"), .currency = SPAN("EUR")});
    add_kind((struct touchpoint){.event_name = order, .currency = SPAN("USD")});
    add_kind((struct touchpoint){
        .event_name = order, .source = SPAN("urn:till"), .channel = pos, .currency = SPAN("USD")});
    add_kind((struct touchpoint){.event_name = SPAN("Order Returned"), .currency = SPAN("USD")});
    add_kind((struct touchpoint){.event_name = SPAN("Order Refunded")});
    add_kind((struct touchpoint){.event_name = SPAN("Loan Funded")});
    add_kind((struct touchpoint){.event_name = SPAN("Account Created")});
    add_kind((struct touchpoint){.event_name = SPAN("Complaint Filed")});
    add_kind((struct touchpoint){.event_name = SPAN("Account Closed")});
    add_kind((struct touchpoint){.event_name = SPAN("Review Submitted")});
    add_kind((struct touchpoint){.type = SPAN("identify"), .channel = SPAN("crm")});
    add_kind(
        (struct touchpoint){.event_name = SPAN("Contact Requested"), .channel = SPAN("email")});
    for (int i = 0; i < 3; i++)
        add_kind((struct touchpoint){.event_name = SPAN("Campaign Sent"),
                                     .channel = mail,
                                     .department = SPAN("marketing"),
                                     .campaign = {.id = SPAN("8")}});
    for (int i = 0; i < 3; i++)
        add_kind(
            (struct touchpoint){.event_name = i ? SPAN("Contact Sent") : SPAN("Contact Failed"),
                                .channel = SPAN("email"),
                                .campaign = {.id = SPAN("8")}});
    add_kind((struct touchpoint){.event_name = SPAN("Email Bounced"),
                                 .direction = SPAN("outbound"),
                                 .channel = SPAN("email")});
    add_kind((struct touchpoint){.event_name = SPAN("Email Opened"), .is_bot = true});
    struct touchpoint search = {.type = SPAN("page"), .score_kind = SPAN("nps")};
    search.campaign.click_id = SPAN("x");
    search.campaign.click_network = SPAN("google");
    add_kind(search);
}

static void open_tracker(struct tracker *t)
{
    *t = (struct tracker){
        .db = database_open(scratch.url), .policy = world.policy, .diff_partitions = 2};
    t->fast = metric_counter("test_fast_total", "", "Touchpoints by the fast path.");
    t->slow = metric_counter("test_slow_total", "", "Touchpoints by the slow path.");
    t->fallbacks = metric_counter("test_fallbacks_total", "", "Lost races.");
    t->rederived = metric_counter("test_rederived_total", "", "Derived again.");
    assert_true(id_from_uuid(span_of(generation), &t->generation.id));
    t->generation.number = 1;
    t->timeline = timeline_new(&journey_timeline);
    journey_cache_open(&t->cache, 1 << 20);
    database_must(shapes_open(t->db, &t->policy, &t->shapes, &err), &err);
}

static void close_tracker(struct tracker *t)
{
    journey_cache_close(&t->cache);
    arena_free(&t->scratch);
    timeline_free(t->timeline);
    shapes_close(t->shapes);
    db_close(t->db);
}

/* A trigger may cancel, win and open at once. */
static const char offers[] =
    "{\"rules\":[{\"id\":\"look\",\"on\":{\"events\":[\"Product Viewed\",\"Page\"]},"
    "\"cancel_on\":{\"events\":[\"Complaint Filed\"]},\"offers\":["
    "{\"id\":\"buy\",\"product\":\"p\",\"owner\":\"d\",\"expires\":\"P20D\",\"cooling\":\"P40D\","
    "\"done_on\":{\"events\":[\"Order Completed\"]}},"
    "{\"id\":\"call\",\"product\":\"q\",\"owner\":\"e\",\"expires\":\"P365D\"}]},"
    "{\"id\":\"again\",\"on\":{\"events\":[\"Order Completed\"]},\"offers\":["
    "{\"id\":\"more\",\"product\":\"p\",\"owner\":\"d\",\"expires\":\"P90D\",\"done_on\":{"
    "\"events\":"
    "[\"Order Completed\"]}}]}]}";

static void add_offers(void)
{
    const struct json *document = NULL;
    database_must(json_parse_span(&world.arena, span_of(offers), "offers", &document, &err), &err);
    database_must(journey_orchestration_read(&world.arena, document, &world.policy, &err), &err);
}

static int set_up(void **state)
{
    char sql[300];
    world_open(&world);
    add_offers();
    add_kinds();
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    snprintf(sql, sizeof sql,
             "INSERT INTO tutti_meta.generations (generation, policies, is_active) VALUES ('%s', "
             "'{}', true);"
             "ALTER DATABASE %s SET synchronous_commit = off",
             generation, scratch.name);
    database_must(db_script(db, sql, &err), &err);
    scratch_use_slot(db, &scratch, 0);
    for (size_t i = 0; i < TRACKERS; i++)
        open_tracker(&trackers[i]);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < TRACKERS; i++)
        close_tracker(&trackers[i]);
    db_close(db);
    world_close(&world);
    return 0;
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_flush_test");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trackers_in_turn_equal_one_derivation),
        cmocka_unit_test(trackers_at_once_equal_one_derivation),
        cmocka_unit_test(one_message_id_for_two_people),
        cmocka_unit_test(a_new_shape_waits_for_the_policies_of_its_tracker),
        cmocka_unit_test(a_shape_without_a_meaning_gets_one),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    scratch_drop(&scratch);
    return failed;
}
