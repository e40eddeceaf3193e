/* journey_stage_test.c: stages, status, deadlines and the end of a journey: one table row per rule
 * of docs/figures.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"

#define D(n) ((n)*US_PER_DAY)

struct event {
    const char *name; /* NULL ends the list */
    int64_t at;
    int16_t score;
};

/* Rows as "day: from>to status from>to [seconds in stage] #journey", one per line; stages and
 * statuses by number. */
static const struct {
    const char *rule;
    struct event events[8];
    const char *rows;
} cases[] = {
    {"the first inbound touch opens journey 1 as inquiry, active",
     {{.name = "Page", .at = D(1)}},
     "1: 0>1 0>1 [-1] #1\n"},
    {"outbound touches reach no stage", {{.name = "Campaign Sent", .at = D(1)}}, ""},
    {"facts without direction take no part", {{.name = "Contact Requested", .at = D(1)}}, ""},
    {"a touch that changes nothing gives no row",
     {{.name = "Page", .at = D(1)}, {.name = "Page", .at = D(2)}},
     "1: 0>1 0>1 [-1] #1\n"},
    {"consideration by event",
     {{.name = "Page", .at = D(1)}, {.name = "Product Viewed", .at = D(2)}},
     "1: 0>1 0>1 [-1] #1\n2: 1>2 1>1 [86400] #1\n"},
    {"stages may be skipped and never fall",
     {{.name = "Review Submitted", .at = D(1)}, {.name = "Product Viewed", .at = D(2)}},
     "1: 0>7 0>1 [-1] #1\n"},
    {"purchase needs no value", {{.name = "Order Completed", .at = D(1)}}, "1: 0>3 0>1 [-1] #1\n"},
    {"after: an earlier order",
     {{.name = "Account Created", .at = D(1)},
      {.name = "Order Completed", .at = D(2)},
      {.name = "Account Created", .at = D(3)}},
     "1: 0>1 0>1 [-1] #1\n2: 1>3 1>1 [86400] #1\n3: 3>4 1>1 [86400] #1\n"},
    {"after: not this touch itself, in the same instant by id",
     {{.name = "Account Created", .at = D(1)}, {.name = "Order Completed", .at = D(1)}},
     "1: 0>1 0>1 [-1] #1\n1: 1>3 1>1 [0] #1\n"},
    {"later_day: two orders on one day are no retention",
     {{.name = "Order Completed", .at = D(1)}, {.name = "Order Completed", .at = D(2) - 1}},
     "1: 0>3 0>1 [-1] #1\n"},
    {"later_day: on the next day they are",
     {{.name = "Order Completed", .at = D(2) - 1}, {.name = "Order Completed", .at = D(2)}},
     "1: 0>3 0>1 [-1] #1\n2: 3>5 1>1 [0] #1\n"},
    {"nth 4 within 365 days: exactly 365",
     {{.name = "Order Completed", .at = D(0)},
      {.name = "Order Completed", .at = D(200)},
      {.name = "Order Completed", .at = D(364)},
      {.name = "Order Completed", .at = D(365)}},
     "0: 0>3 0>1 [-1] #1\n28: 3>3 1>2 [2419200] #1\n56: 3>3 2>3 [4838400] #1\n200: 3>5 3>4 "
     "[17280000] #1\n"
     "228: 5>5 4>2 [2419200] #1\n256: 5>5 2>3 [4838400] #1\n364: 5>5 3>4 [14169600] #1\n365: 5>6 "
     "4>4 [14256000] #1\n"},
    {"nth 4 within 365 days: a microsecond more",
     {{.name = "Order Completed", .at = D(0)},
      {.name = "Order Completed", .at = D(200)},
      {.name = "Order Completed", .at = D(364)},
      {.name = "Order Completed", .at = D(365) + 1}},
     "0: 0>3 0>1 [-1] #1\n28: 3>3 1>2 [2419200] #1\n56: 3>3 2>3 [4838400] #1\n200: 3>5 3>4 "
     "[17280000] #1\n"
     "228: 5>5 4>2 [2419200] #1\n256: 5>5 2>3 [4838400] #1\n364: 5>5 3>4 [14169600] #1\n"},
    {"score_min: the kind and at least 80",
     {{.name = "Survey", .at = D(1), .score = 79}, {.name = "Survey", .at = D(2), .score = 80}},
     "1: 0>1 0>1 [-1] #1\n2: 1>7 1>1 [86400] #1\n"},
    {"a deadline does not act if a touch happens at it",
     {{.name = "Page", .at = D(0)}, {.name = "Page", .at = D(28)}},
     "0: 0>1 0>1 [-1] #1\n"},
    {"at risk, then active again",
     {{.name = "Page", .at = D(0)}, {.name = "Page", .at = D(28) + 1}},
     "0: 0>1 0>1 [-1] #1\n28: 1>1 1>2 [2419200] #1\n28: 1>1 2>1 [2419200] #1\n"},
    {"an outbound touch stops no deadline",
     {{.name = "Page", .at = D(0)},
      {.name = "Campaign Sent", .at = D(20)},
      {.name = "Page", .at = D(30)}},
     "0: 0>1 0>1 [-1] #1\n28: 1>1 1>2 [2419200] #1\n30: 1>1 2>1 [2592000] #1\n"},
    {"lapsed, then won back, and it stays so",
     {{.name = "Page", .at = D(0)}, {.name = "Page", .at = D(57)}, {.name = "Page", .at = D(58)}},
     "0: 0>1 0>1 [-1] #1\n28: 1>1 1>2 [2419200] #1\n56: 1>1 2>3 [4838400] #1\n57: 1>1 3>4 "
     "[4924800] #1\n"},
    {"at risk by event; its deadline does not act again",
     {{.name = "Page", .at = D(0)},
      {.name = "Complaint Filed", .at = D(1)},
      {.name = "Page", .at = D(31)}},
     "0: 0>1 0>1 [-1] #1\n1: 1>1 1>2 [86400] #1\n31: 1>1 2>1 [2678400] #1\n"},
    {"lapsed by event; no deadline acts, the next touch wins back",
     {{.name = "Account Closed", .at = D(0)}, {.name = "Page", .at = D(60)}},
     "0: 0>1 0>3 [-1] #1\n60: 1>1 3>4 [5184000] #1\n"},
    {"365 days are the same journey",
     {{.name = "Account Closed", .at = D(0)}, {.name = "Page", .at = D(365)}},
     "0: 0>1 0>3 [-1] #1\n365: 1>1 3>4 [31536000] #1\n"},
    {"a microsecond more: exit, and the next journey starts from lapsed",
     {{.name = "Order Completed", .at = D(0)}, {.name = "Page", .at = D(365) + 1}},
     "0: 0>3 0>1 [-1] #1\n28: 3>3 1>2 [2419200] #1\n56: 3>3 2>3 [4838400] #1\n365: 3>0 3>3 "
     "[31536000] #1\n"
     "365: 0>1 3>4 [-1] #2\n"},
    {"orders are counted within the journey",
     {{.name = "Order Completed", .at = D(0)}, {.name = "Order Completed", .at = D(400)}},
     "0: 0>3 0>1 [-1] #1\n28: 3>3 1>2 [2419200] #1\n56: 3>3 2>3 [4838400] #1\n365: 3>0 3>3 "
     "[31536000] #1\n"
     "400: 0>3 3>4 [-1] #2\n"},
};

static const struct shape *shape_of(struct journey_world *world, const struct event *event)
{
    if (strcmp(event->name, "Survey") == 0)
        return world_shape(world, &(struct shape_text){.type = SPAN("Survey"),
                                                       .channel = SPAN("web"),
                                                       .score_kind = SPAN("nps")});
    return world_event(world, event->name);
}

static const char *rows_text(const struct journey_effects *effects, struct arena *arena)
{
    struct strbuf buf = {.arena = arena};
    strbuf_reserve(&buf, 1);
    for (size_t i = 0; i < effects->stages.count; i++) {
        const struct stage_row *r = &effects->stages.items[i];
        strbuf_addf(&buf, "%d: %u>%u %u>%u [%lld] #%u\n", instant_day(r->changed_at, 0),
                    r->from_stage, r->to_stage, r->from_status, r->to_status,
                    (long long)r->seconds_in_stage, r->journey_number);
    }
    pack_byte(&buf, 0);
    return buf.ptr;
}

static void advance_all(struct journey_world *world, const struct event *events,
                        struct journey_state *state, struct journey_effects *effects)
{
    for (uint32_t i = 0; events[i].name; i++) {
        struct touch touch = world_touch(shape_of(world, &events[i]), events[i].at, i + 1);
        if (events[i].score)
            touch.score = events[i].score;
        journey_advance(&world->policy, state, &touch, effects);
    }
}

static void test_rows(void **unused)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct journey_world world;
        struct journey_state state;
        struct journey_effects effects;
        world_open(&world);
        journey_state_init(&state, &world.arena);
        journey_effects_init(&effects, &world.arena);
        advance_all(&world, cases[i].events, &state, &effects);
        const char *rows = rows_text(&effects, &world.arena);
        if (strcmp(rows, cases[i].rows) != 0)
            fail_msg("%s:\nhave\n%swant\n%s", cases[i].rule, rows, cases[i].rows);
        world_close(&world);
    }
}

static void test_row_ids(void **unused)
{
    struct journey_world world;
    struct journey_state state;
    struct journey_effects effects;
    const struct event events[] = {
        {.name = "Page", .at = D(0)}, {.name = "Page", .at = D(400)}, {.name = NULL}};
    world_open(&world);
    journey_state_init(&state, &world.arena);
    journey_effects_init(&effects, &world.arena);
    advance_all(&world, events, &state, &effects);
    assert_int_equal(effects.stages.count, 5);
    for (int reason = 0; reason < 4; reason++) {
        const struct stage_row *row = &effects.stages.items[reason];
        assert_int_equal(row->reason, reason);
        assert_int_equal(row->id.bytes[15], 1 ^ reason); /* the touch's id is 1 */
        assert_true(row->touch.at.us == D(0));
    }
    world_close(&world);
}

/* Trailing changes: dated after the last inbound touch, taken back by the next one. */
static int64_t cell_value(const struct journey_effects *effects, struct cell_key key, int which)
{
    struct cell cell;
    for (size_t i = 0; journey_effects_next(effects, &i, &cell);)
        if (memcmp(&cell.key, &key, sizeof key) == 0)
            return cell.values[which];
    return 0;
}

static void test_stock_and_trailing(void **unused)
{
    struct journey_world world;
    struct journey_state before, state;
    struct journey_effects e;
    const struct event first[] = {{.name = "Order Completed", .at = D(0)}, {.name = NULL}};
    world_open(&world);
    journey_state_init(&state, &world.arena);
    journey_effects_init(&e, &world.arena);
    advance_all(&world, first, &state, &e);
    journey_trailing_replace(&world.policy, NULL, &state, &e);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 0, {STATUS_ACTIVE}}, 0), 1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 0, {STATUS_ACTIVE}}, 1), 1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 28, {STATUS_ACTIVE}}, 0), -1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 28, {STATUS_AT_RISK}}, 1), 1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 56, {STATUS_AT_RISK}}, 0), -1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 56, {STATUS_LAPSED}}, 0), 1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STAGE, 0, {STAGE_PURCHASE}}, 0), 1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STAGE, 365, {STAGE_PURCHASE}}, 0), -1);

    journey_state_copy(&before, &state, &world.arena);
    struct touch next = world_touch(world_event(&world, "Page"), D(10), 9);
    journey_advance(&world.policy, &state, &next, &e);
    journey_trailing_replace(&world.policy, &before, &state, &e);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 28, {STATUS_AT_RISK}}, 0), 0);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 38, {STATUS_AT_RISK}}, 0), 1);
    assert_int_equal(cell_value(&e, (struct cell_key){CELL_STAGE, 375, {STAGE_PURCHASE}}, 0), -1);
    world_close(&world);
}

static uint32_t code_of_goal(const struct journey_world *world, struct span id)
{
    for (uint32_t i = 0; i < world->policy.goal_count; i++)
        if (span_equal(world->policy.goals[i].id, id))
            return world->policy.goals[i].code;
    return 0;
}

/* In and out of the goal, by deadline too; of others only the status counts. */
static void test_a_goal_of_identified_customers(void **unused)
{
    const struct event first[] = {{.name = "Page", .at = D(0)}, {.name = NULL}};
    for (int is_identified = 0; is_identified < 2; is_identified++) {
        struct journey_world world;
        struct journey_state state, again;
        struct journey_effects e;
        struct strbuf packed = {.arena = NULL};
        uint32_t missing;
        struct err err;
        world_open(&world);
        packed.arena = &world.arena;
        struct shape_lookup lookup = world_lookup(&world);
        journey_state_init(&state, &world.arena);
        state.is_identified = is_identified;
        journey_effects_init(&e, &world.arena);
        advance_all(&world, first, &state, &e);
        journey_trailing(&world.policy, &state, &e);
        uint32_t known = code_of_goal(&world, SPAN("known"));
        assert_int_equal(cell_value(&e, (struct cell_key){CELL_STATUS, 0, {STATUS_ACTIVE}}, 0), 1);
        assert_int_equal(
            cell_value(&e, (struct cell_key){CELL_STATUS, 0, {STATUS_ACTIVE, known}}, 0),
            is_identified);
        assert_int_equal(
            cell_value(&e, (struct cell_key){CELL_STATUS, 28, {STATUS_ACTIVE, known}}, 0),
            -is_identified);
        journey_state_pack(&world.policy, &state, &packed);
        assert_int_equal(journey_packed_is_identified(strbuf_span(&packed)), is_identified);
        assert_int_equal(journey_state_unpack(&world.policy, strbuf_span(&packed), &lookup,
                                              &world.arena, &again, &missing, &err),
                         OUTCOME_OK);
        assert_int_equal(again.is_identified, is_identified);
        world_close(&world);
    }
    assert_false(journey_packed_is_identified(SPAN("")));
}

static void test_same_day_costs_no_cell(void **unused)
{
    struct journey_world world;
    struct journey_state a, b;
    struct journey_effects e;
    world_open(&world);
    journey_state_init(&a, &world.arena);
    const struct shape *page = world_event(&world, "Page");
    struct touch first = world_touch(page, D(3), 1), second = world_touch(page, D(3) + 5, 2);
    journey_advance(&world.policy, &a, &first, NULL);
    journey_state_copy(&b, &a, &world.arena);
    journey_advance(&world.policy, &b, &second, NULL);
    journey_effects_init(&e, &world.arena);
    journey_trailing_replace(&world.policy, &a, &b, &e);
    assert_int_equal(e.cells.count, 0);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_row_ids),
        cmocka_unit_test(test_stock_and_trailing),
        cmocka_unit_test(test_a_goal_of_identified_customers),
        cmocka_unit_test(test_same_day_costs_no_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
