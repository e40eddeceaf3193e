/* journey_attribution_test.c: conversions, credits, goals, map steps and shapes: one table row per
 * rule of docs/figures.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/codec/unicode.h"
#include "tests/support/journey_world.h"

#define D(n) ((n)*US_PER_DAY)

struct fixture {
    struct journey_world world;
    struct journey_state state;
    struct journey_effects effects;
    uint32_t next_id;
    const struct shape *order, *loan, *page, *sent, *other_sent;
};

static struct fixture *open_fixture(void)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    world_open(&f.world);
    journey_state_init(&f.state, &f.world.arena);
    journey_effects_init(&f.effects, &f.world.arena);
    f.order = world_event(&f.world, "Order Completed");
    f.loan = world_event(&f.world, "Loan Funded");
    f.page = world_event(&f.world, "Page");
    f.sent = world_event(&f.world, "Campaign Sent");
    f.other_sent = world_shape(&f.world, &(struct shape_text){.type = SPAN("Campaign Sent"),
                                                              .channel = SPAN("email"),
                                                              .campaign_id = SPAN("13")});
    return &f;
}

static void pass(struct fixture *f, const struct shape *shape, int64_t at, int64_t value)
{
    struct touch touch = world_touch(shape, at, ++f->next_id);
    world_set_value(&touch, value);
    journey_advance(&f->world.policy, &f->state, &touch, &f->effects);
}

static int64_t cell_value(const struct fixture *f, struct cell_key key, int which)
{
    struct cell cell;
    for (size_t i = 0; journey_effects_next(&f->effects, &i, &cell);)
        if (memcmp(&cell.key, &key, sizeof key) == 0)
            return cell.values[which];
    return 0;
}

static struct cell_key credit_key(struct fixture *f, int day, enum credit_model model,
                                  const struct shape *touch)
{
    struct cell_key key = {CELL_CREDIT, day, {world_code(&f->world, SPAN("sale")), model}};
    if (touch) {
        key.dims[2] = touch->channel;
        key.dims[3] = touch->department;
        key.dims[4] = touch->purpose;
        key.dims[5] = touch->campaign;
    }
    key.dims[7] = f->order->currency;
    return key;
}

static void test_split(void **state)
{
    static const struct {
        int64_t total;
        uint32_t n;
        int64_t parts[4];
    } rows[] = {
        {10, 1, {10}},
        {10, 3, {4, 3, 3}},
        {11, 3, {4, 4, 3}},
        {-11, 3, {-4, -4, -3}},
        {2, 4, {1, 1, 0, 0}},
        {-1, 2, {-1, 0}},
        {0, 2, {0, 0}},
        {CREDIT_WHOLE, 3, {333334, 333333, 333333}},
        {INT64_MAX, 2, {INT64_MAX / 2 + 1, INT64_MAX / 2}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (uint32_t j = 0; j < rows[i].n; j++)
            assert_true(credit_split(rows[i].total, rows[i].n, j) == rows[i].parts[j]);
}

static void test_credit_cells(void **state)
{
    struct fixture *f = open_fixture();
    pass(f, f->sent, D(1), MICROS_ABSENT);
    pass(f, f->other_sent, D(2), MICROS_ABSENT);
    pass(f, f->sent, D(3), MICROS_ABSENT);
    pass(f, f->order, D(4), 11);
    assert_int_equal(cell_value(f, credit_key(f, 4, MODEL_FIRST_TOUCH, f->sent), 1), 11);
    assert_int_equal(cell_value(f, credit_key(f, 4, MODEL_LAST_TOUCH, f->sent), 1), 11);
    assert_int_equal(cell_value(f, credit_key(f, 4, MODEL_LINEAR, f->sent), 1), 4 + 3);
    assert_int_equal(cell_value(f, credit_key(f, 4, MODEL_LINEAR, f->sent), 3), 2);
    assert_int_equal(cell_value(f, credit_key(f, 4, MODEL_LINEAR, f->other_sent), 1), 4);
    assert_int_equal(cell_value(f, credit_key(f, 4, MODEL_LINEAR, f->other_sent), 0), 333333);
    assert_int_equal(f->effects.conversions.count, 1);
    assert_int_equal(f->effects.conversions.items[0].eligible_count, 3);
    assert_int_equal(f->effects.conversions.items[0].eligible.len, 3 * ELIGIBLE_SIZE);
    world_close(&f->world);
}

/* Which touches are eligible: distance of one campaign touch before the order, and what is
 * expected. */
static void test_window(void **state)
{
    static const struct {
        const char *rule;
        int64_t before;
        uint32_t eligible;
    } rows[] = {
        {"the lookback begins at t - 30 days", D(30), 1},
        {"a microsecond earlier is out", D(30) + 1, 0},
        {"at the same time, what was sent comes before the order", 0, 1},
        {"a microsecond before is", 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = open_fixture();
        pass(f, f->sent, D(100) - rows[i].before, MICROS_ABSENT);
        pass(f, f->order, D(100), 10);
        if (f->effects.conversions.items[0].eligible_count != rows[i].eligible)
            fail_msg("%s", rows[i].rule);
        int64_t rest = cell_value(f, credit_key(f, 100, MODEL_LINEAR, NULL), 1);
        assert_int_equal(rest, rows[i].eligible ? 0 : 10);
        assert_int_equal(cell_value(f, credit_key(f, 100, MODEL_LINEAR, NULL), 3), 0);
        world_close(&f->world);
    }
}

static void test_conversion_values(void **state)
{
    struct fixture *f = open_fixture();
    pass(f, f->order, D(1), 0);             /* an order, no conversion */
    pass(f, f->order, D(1), MICROS_ABSENT); /* the same */
    assert_int_equal(f->effects.conversions.count, 0);
    assert_int_equal(f->state.order_count, 2);
    pass(f, f->order, D(2), 5);
    pass(f, f->loan, D(3), MICROS_ABSENT); /* any value */
    assert_int_equal(f->effects.conversions.count, 2);
    assert_true(f->effects.conversions.items[0].is_first);
    assert_true(f->effects.conversions.items[1].is_first); /* of another goal */
    assert_int_equal(f->effects.conversions.items[0].stage_before, STAGE_PURCHASE);
    /* in the currency of the last conversion: none */
    assert_int_equal(journey_state_revenue(&f->state).revenue, 0);
    pass(f, f->order, D(4), 7);
    assert_int_equal(journey_state_revenue(&f->state).revenue, 12);
    assert_int_equal(f->state.order_count, 5);
    world_close(&f->world);
}

static void test_cut_tail_is_noticed(void **state)
{
    struct fixture *f = open_fixture();
    f->world.policy.tail_max = 2;
    for (int i = 0; i < 3; i++)
        pass(f, f->sent, D(i), MICROS_ABSENT);
    struct touch order = world_touch(f->order, D(30), 99);
    world_set_value(&order, 1);
    assert_true(journey_tail_is_cut(&f->state));
    assert_true(journey_needs_window(&f->world.policy, &f->state, &order));
    order.key.at.us++; /* what was dropped is out of the lookback now */
    assert_false(journey_needs_window(&f->world.policy, &f->state, &order));
    world_close(&f->world);
}

static int64_t goal_value(struct fixture *f, struct span goal, int day, const struct shape *shape,
                          uint32_t currency, int which)
{
    uint32_t code = world_code(&f->world, goal);
    struct cell_key key = {CELL_GOAL, day, {code, shape->department, shape->channel, currency}};
    return cell_value(f, key, which);
}

static void test_goals(void **state)
{
    struct fixture *f = open_fixture();
    uint32_t usd = f->order->currency;
    pass(f, f->order, D(1), 5);
    pass(f, f->order, D(1) + 1, -3);
    pass(f, f->order, D(31), 2);
    pass(f, f->sent, D(31), MICROS_ABSENT);
    struct cell_key customers = {
        CELL_GOAL_CUSTOMERS, 1, {world_code(&f->world, SPAN("orders")), 0, PERIOD_DAY}};
    assert_int_equal(goal_value(f, SPAN("orders"), 1, f->order, 0, 0), 1); /* -3 is a return */
    /* a count has no micros */
    assert_int_equal(goal_value(f, SPAN("orders"), 1, f->order, 0, 1), 0);
    assert_int_equal(cell_value(f, customers, 0), 1);
    assert_int_equal(goal_value(f, SPAN("sale"), 1, f->order, usd, 0), 1); /* positive only */
    assert_int_equal(goal_value(f, SPAN("sale"), 1, f->order, usd, 1), 2);
    assert_int_equal(goal_value(f, SPAN("second_order"), 1, f->order, 0, 0), 0);
    assert_int_equal(goal_value(f, SPAN("second_order"), 31, f->order, 0, 0), 1);
    assert_int_equal(goal_value(f, SPAN("third_touch"), 31, f->order, 0, 0), 1); /* returns count */
    assert_int_equal(goal_value(f, SPAN("pressure"), 31, f->sent, 0, 0), 1);
    world_close(&f->world);
}

static void test_goal_within(void **state)
{
    for (int64_t late = 0; late < 2; late++) {
        struct fixture *f = open_fixture();
        pass(f, f->order, D(1), 5);
        pass(f, f->order, D(31) + late, 5);
        assert_int_equal(goal_value(f, SPAN("second_order"), 31, f->order, 0, 0), late ? 0 : 1);
        world_close(&f->world);
    }
}

static void test_margin_else_value(void **state)
{
    struct fixture *f = open_fixture();
    struct touch touch = world_touch(f->order, D(1), 1);
    world_set_value(&touch, 9);
    touch.margin_micros = 4;
    journey_advance(&f->world.policy, &f->state, &touch, &f->effects);
    assert_int_equal(goal_value(f, SPAN("profit"), 1, f->order, f->order->currency, 1), 4);
    assert_int_equal(goal_value(f, SPAN("sale"), 1, f->order, f->order->currency, 1), 9);
    world_close(&f->world);
}

/* January 1970 is month 0, February 31; stage before the touch; (conversion) for conversions. */
static void test_steps(void **state)
{
    struct fixture *f = open_fixture();
    uint32_t conversion = f->world.policy.conversion_node, dept = f->sent->department;
    pass(f, f->page, D(30), MICROS_ABSENT);
    pass(f, f->sent, D(31), MICROS_ABSENT);
    pass(f, f->order, D(31) + 3600 * US_PER_SECOND, 1);
    pass(f, f->page, D(397), MICROS_ABSENT);
    assert_int_equal(cell_value(f, (struct cell_key){CELL_STEP, 0, {0, 0, f->page->kind}}, 0), 1);
    struct cell_key sent = {CELL_STEP, 31, {STAGE_INQUIRY, f->page->kind, f->sent->kind, 0, dept}};
    assert_int_equal(cell_value(f, sent, 1), D(1) / 1000); /* in ms */
    assert_int_equal(cell_value(f, sent, 3), 1);           /* <= 1 d */
    struct cell_key bought = {CELL_STEP, 31, {STAGE_INQUIRY, f->sent->kind, conversion, dept, 0}};
    assert_int_equal(cell_value(f, bought, 2), 1); /* <= 1 h */
    struct cell_key left = {CELL_STEP, 396, {STAGE_PURCHASE, conversion, 0}};
    assert_int_equal(cell_value(f, left, 0), 1);
    assert_int_equal(cell_value(f, (struct cell_key){CELL_STEP, 396, {0, 0, f->page->kind}}, 0), 1);
    world_close(&f->world);
}

static void test_shapes(void **state)
{
    static const struct {
        struct shape_text text;
        enum direction direction;
        const char *kind;
        bool creditable;
    } rows[] = {
        {{.type = SPAN("track"), .event_name = SPAN("Page")}, DIRECTION_INBOUND, "web:Page", false},
        {{.type = SPAN("page"), .event_name = SPAN("")}, DIRECTION_INBOUND, "web:page", false},
        {{.type = SPAN("identify")}, DIRECTION_NONE, "web:identify", false},
        {{.type = SPAN("identify"), .direction = SPAN("inbound")},
         DIRECTION_INBOUND,
         "web:identify",
         false},
        {{.type = SPAN("track"), .event_name = SPAN("Contact Sent")},
         DIRECTION_OUTBOUND,
         "web:Contact Sent",
         false},
        {{.type = SPAN("track"),
          .event_name = SPAN("Contact Requested"),
          .direction = SPAN("outbound"),
          .campaign_id = SPAN("8")},
         DIRECTION_NONE,
         "web:Contact Requested",
         false},
        {{.type = SPAN("track"), .event_name = SPAN("Campaign Sent"), .campaign_id = SPAN("8")},
         DIRECTION_OUTBOUND,
         "web:Campaign Sent",
         true},
        {{.type = SPAN("x"), .direction = SPAN("sideways")}, DIRECTION_INBOUND, "web:x", false},
        {{.type = SPAN("x"), .has_click_id = true}, DIRECTION_INBOUND, "web:x", true},
        {{.type = SPAN("x"), .direction = SPAN("outbound"), .has_click_id = true},
         DIRECTION_OUTBOUND,
         "web:x",
         false},
        {{.type = SPAN("Order Completed"), .campaign_id = SPAN("8")},
         DIRECTION_INBOUND,
         "web:Order Completed",
         false},
        {{.type = SPAN("x"), .referrer_host = SPAN("WWW.Google.de")},
         DIRECTION_INBOUND,
         "search:google",
         false},
        {{.type = SPAN("x"), .referrer_host = SPAN("notgoogle.de")},
         DIRECTION_INBOUND,
         "web:x",
         false},
        {{.type = SPAN("x"), .referrer_host = SPAN("www.idealo.de")},
         DIRECTION_INBOUND,
         "comparison_site:idealo",
         false},
        {{.type = SPAN("x"), .utm_medium = SPAN("comparison"), .utm_source = SPAN("check24")},
         DIRECTION_INBOUND,
         "comparison_site:check24",
         false},
        {{.type = SPAN("x"), .utm_medium = SPAN("comparison")}, DIRECTION_INBOUND, "web:x", false},
        {{.type = SPAN("x"), .click_network = SPAN("google")},
         DIRECTION_INBOUND,
         "ads:google",
         false},
    };
    struct fixture *f = open_fixture();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shape_text text = rows[i].text;
        struct shape shape;
        text.channel = SPAN("web");
        text.host = unicode_host(&f->world.arena, text.referrer_host);
        shape_compile(&f->world.policy, &text, &f->world.arena, &shape);
        if (shape.direction != rows[i].direction || !span_is(shape.kind_text, rows[i].kind) ||
            shape.creditable != rows[i].creditable)
            fail_msg("row %zu: %d " SPAN_FMT " %d", i, shape.direction, SPAN_ARG(shape.kind_text),
                     shape.creditable);
    }
    world_close(&f->world);
}

static void test_referrer_host(void **state)
{
    assert_true(span_is(shape_referrer_host(SPAN("https://me:pw@www.google.de:443/search?q=a@b")),
                        "www.google.de"));
    assert_true(span_is(shape_referrer_host(SPAN("http://bing.com?x")), "bing.com"));
    assert_null(shape_referrer_host(SPAN("android-app")).ptr);
    assert_null(shape_referrer_host(SPAN("https://")).ptr);
    assert_null(shape_referrer_host(SPAN_NONE).ptr);
}

static void test_corrupt_states(void **state)
{
    struct fixture *f = open_fixture();
    struct strbuf packed = {.arena = &f->world.arena};
    struct shape_lookup lookup = world_lookup(&f->world);
    struct journey_state out;
    struct err err;
    uint32_t missing;
    pass(f, f->sent, D(1), MICROS_ABSENT);
    pass(f, f->order, D(2), 5);
    journey_state_pack(&f->world.policy, &f->state, &packed);
    struct span whole = strbuf_span(&packed);
    assert_true(whole.len <= 320);
    for (size_t n = 0; n < whole.len; n++)
        assert_int_equal(journey_state_unpack(&f->world.policy, (struct span){whole.ptr, n},
                                              &lookup, &f->world.arena, &out, &missing, &err),
                         OUTCOME_FATAL);
    f->world.shape_count = 0;
    assert_int_equal(journey_state_unpack(&f->world.policy, whole, &lookup, &f->world.arena, &out,
                                          &missing, &err),
                     OUTCOME_RETRY);
    assert_int_equal(missing, f->sent->code);
    world_close(&f->world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_credit_cells),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_conversion_values),
        cmocka_unit_test(test_cut_tail_is_noticed),
        cmocka_unit_test(test_goals),
        cmocka_unit_test(test_goal_within),
        cmocka_unit_test(test_margin_else_value),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_referrer_host),
        cmocka_unit_test(test_corrupt_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
