/* journey_views_test.c: what journey-tracker packs is what the views read, and the defaults of its
 * parser are the ones the views work by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/journey_policy_store.h"
#include "tests/support/database.h"
#include "tests/support/journey_world.h"
#include "tests/support/random.h"

static const char generation[] = "11111111-2222-3333-4444-555555555555";
static struct scratch scratch;
static struct db *db;
static struct arena arena;
static struct journey_world world;
static struct err err;

static struct db_result *run(const struct statement *statement, struct params *params)
{
    struct db_result *result;
    database_must(db_run(db, statement, params, &result, NULL, &err), &err);
    return result;
}

static void store_state(int64_t profile, const struct journey_state *state)
{
    static const struct statement insert = {
        "insert_state", "INSERT INTO journey.states (profile, ver, members, generation, payload)"
                        " VALUES ($1, 1, 1, 1, $2)"};
    struct strbuf packed = {.arena = &arena};
    struct params p;
    journey_state_pack(&world.policy, state, &packed);
    params_init(&p, &arena);
    params_int8(&p, profile);
    params_bytea(&p, strbuf_span(&packed));
    run(&insert, &p);
}

static struct db_result *shown_state(int64_t profile)
{
    static const struct statement find = {
        "find_state",
        "SELECT stage, status, journey_number, first_seen_at, last_seen_at,"
        " last_inbound_at, last_inbound_id, last_inbound_anchor, stage_since_at,"
        " order_count, currency, revenue_micros::text, margin_micros::text, last_order_at,"
        " last_score, last_score_at, score_trend, cost_micros::text, has_cost"
        " FROM journey.state_headers WHERE profile = $1"};
    struct params p;
    params_init(&p, &arena);
    params_int8(&p, profile);
    return run(&find, &p);
}

static void test_every_field_is_shown(void **state)
{
    struct journey_state s;
    journey_state_init(&s, &arena);
    s.stage = STAGE_LOYALTY;
    s.status = STATUS_WON_BACK;
    s.converted = 1;
    s.journey_number = 0x01020304;
    s.first_seen.us = 1001;
    s.last.at.us = 1002;
    s.last_inbound =
        (struct touch_key){{1003}, RANK_RETURN, {"\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"}, -77};
    s.stage_since.us = 1004;
    s.last_touch_at.us = 1005;
    s.order_count = 4000000000;
    /* -2^64 - 1, and 2^63 */
    s.sums = &(struct currency_sum){.currency = 9,
                                    .conversions = 1,
                                    .revenue = (micros_sum)INT64_MIN * 2 - 1,
                                    .margin = -(micros_sum)INT64_MIN,
                                    .with_margin = 1,
                                    .with_cost = 2,
                                    .cost = 77,
                                    .last = s.last};
    s.sum_count = s.sum_capacity = 1;
    s.last_order_at.us = 1006;
    s.scores[s.score_count++] = (struct score_said){{7}, 50};
    s.scores[s.score_count++] = (struct score_said){{7 + 90 * US_PER_DAY}, -100};
    store_state(1, &s);
    struct db_result *r = shown_state(1);
    assert_int_equal(db_int4(r, 0, 0), STAGE_LOYALTY);
    assert_int_equal(db_int4(r, 0, 1), STATUS_WON_BACK);
    assert_int_equal(db_int4(r, 0, 2), 0x01020304);
    assert_int_equal(db_timestamptz(r, 0, 3).us, 1001);
    assert_int_equal(db_timestamptz(r, 0, 4).us, 1002);
    assert_int_equal(db_timestamptz(r, 0, 5).us, 1003);
    struct id id = db_uuid(r, 0, 6);
    assert_memory_equal(id.bytes, s.last_inbound.event_id.bytes, sizeof id.bytes);
    assert_int_equal(db_int8(r, 0, 7), -77);
    assert_int_equal(db_timestamptz(r, 0, 8).us, 1004);
    assert_int_equal(db_int8(r, 0, 9), 4000000000);
    assert_int_equal(db_int4(r, 0, 10), 9);
    assert_true(span_is(db_bytes(r, 0, 11), "-18446744073709551617"));
    assert_true(span_is(db_bytes(r, 0, 12), "9223372036854775808"));
    assert_int_equal(db_timestamptz(r, 0, 13).us, 1006);
    assert_int_equal(db_int4(r, 0, 14), -100);
    assert_int_equal(db_timestamptz(r, 0, 15).us, 7 + 90 * US_PER_DAY);
    assert_int_equal(db_int4(r, 0, 16), -150);
    assert_true(span_is(db_bytes(r, 0, 17), "77"));
    assert_int_equal(db_int4(r, 0, 18), 1);
}

static void test_absent_is_null(void **state)
{
    struct journey_state s;
    journey_state_init(&s, &arena);
    store_state(2, &s);
    struct db_result *r = shown_state(2);
    static const int times[] = {3, 4, 5, 8, 13, 15, 16};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_true(db_is_null(r, 0, times[i]));
    assert_true(db_is_null(r, 0, 14));
    assert_int_equal(db_int8(r, 0, 9), 0);
}

static const struct json *parse(const char *text)
{
    const struct json *document;
    assert_int_equal(json_parse_span(&arena, span_of(text), "policy.json", &document, &err),
                     OUTCOME_OK);
    return document;
}

static void read_policy(const char *journey, const char *goals, struct journey_policy *out)
{
    const struct journey_documents documents = {
        .journey = parse(journey), .goals = parse(goals), .channels = parse("{\"rules\":[]}")};
    database_must(journey_policy_read(&arena, &documents, out, &err), &err);
}

static void store_policy(const struct journey_policy *policy)
{
    struct id id;
    assert_true(id_from_uuid(span_of(generation), &id));
    database_must(journey_policy_store(db, &arena, policy, &id, &err), &err);
}

#define ATTRIBUTION "\"attribution\":{\"conversions\":[{\"goal\":\"sale\",\"event\":\"Order\"}]"

static void test_defaults_are_the_parsers(void **state)
{
    static const struct statement find = {
        "find_active",
        "SELECT zone, (extract(epoch FROM session) * 1000000)::bigint,"
        " at_risk_after IS NULL, (extract(epoch FROM lapsed_after) * 1000000)::bigint,"
        " (extract(epoch FROM journey_end) * 1000000)::bigint, stored_model"
        " FROM tutti_meta.active"};
    struct journey_policy policy;
    read_policy("{\"stages\":[]," ATTRIBUTION "}}", "{\"goals\":[]}", &policy);
    store_policy(&policy);
    struct db_result *r = run(&find, NULL);
    assert_int_equal(db_rows(r), 1);
    assert_true(span_is(db_bytes(r, 0, 0), "UTC"));
    assert_int_equal(db_int8(r, 0, 1), policy.session.us);
    assert_true(db_bool(r, 0, 2) && policy.at_risk_after.us == INT64_MAX);
    assert_int_equal(db_int8(r, 0, 3), policy.lapsed_after.us);
    assert_int_equal(db_int8(r, 0, 4), JOURNEY_END.us);
    assert_true(span_is(db_bytes(r, 0, 5), "linear"));
}

static void test_what_is_said_replaces_it(void **state)
{
    static const struct statement find = {
        "find_said", "SELECT (extract(epoch FROM at_risk_after))::bigint, stored_model,"
                     " (SELECT string_agg(concat_ws(' ', goal_id, ladder_level, metric, status,"
                     "  is_credited), ', ' ORDER BY goal_id) FROM tutti_meta.active_goals)"
                     " FROM tutti_meta.active"};
    struct journey_policy policy;
    read_policy(
        "{\"stages\":[],\"status\":{\"at_risk\":{\"after\":\"P1D\"}}," ATTRIBUTION
        ",\"stored_model\":\"last_touch\"}}",
        "{\"goals\":[{\"id\":\"top\",\"measure\":\"count\",\"on\":{\"channels\":[\"web\"]}},"
        "{\"id\":\"sale\",\"parent\":\"top\",\"measure\":\"value\",\"on\":{\"channels\":[\"web\"]},"
        "\"credited\":true},"
        "{\"id\":\"won\",\"parent\":\"sale\",\"measure\":\"stock\","
        "\"status\":\"won_back\"}]}",
        &policy);
    store_policy(&policy);
    struct db_result *r = run(&find, NULL);
    assert_int_equal(db_int8(r, 0, 0), 86400);
    assert_true(span_is(db_bytes(r, 0, 1), "last_touch"));
    struct span goals = db_bytes(r, 0, 2);
    if (!span_is(goals, "sale 1 value t, top 0 count f, won 2 stock won_back f"))
        fail_msg("goals are \"" SPAN_FMT "\"", SPAN_ARG(goals));
}

/* ---- credit ---- */
enum { CASES = 200, MOST = 12 };

/* What an amount becomes and was before, shared among n touches at random times. */
struct credit_case {
    enum credit_model model;
    uint32_t n;
    struct tail_touch touches[MOST];
    int64_t share, before, change;
};

static struct credit_case random_case(struct random *dice)
{
    struct credit_case c = {.model =
                                random_below(dice, 2) ? MODEL_TIME_DECAY : MODEL_POSITION_BASED,
                            .n = 1 + (uint32_t)random_below(dice, MOST),
                            .share = (int64_t)random_below(dice, 3) * CREDIT_WHOLE - CREDIT_WHOLE,
                            .before = (int64_t)random_next(dice) >> random_below(dice, 64),
                            .change = (int64_t)random_next(dice) >> random_below(dice, 64)};
    int64_t reach = INT64_C(1) << (20 + random_below(dice, 32)); /* a second to a century */
    for (uint32_t i = 0; i < c.n; i++)
        c.touches[i].at.us = -(int64_t)random_below(dice, (uint64_t)reach);
    return c;
}

/* As rows have them: only the times matter here. */
static struct span packed_touches(const struct credit_case *c)
{
    static const struct id nobody;
    struct strbuf buf = {.arena = &arena};
    for (uint32_t i = 0; i < c->n; i++) {
        strbuf_add(&buf, nobody.bytes, sizeof nobody.bytes);
        pack_be64(&buf, (uint64_t)c->touches[i].at.us);
        pack_be32(&buf, 1);
    }
    return strbuf_span(&buf);
}

static struct db_result *credits_in_sql(const struct credit_case *c)
{
    static const struct statement find = {
        "weigh",
        "SELECT credit::bigint, revenue::bigint, margin_part IS NULL"
        " FROM tutti_meta.active AS a"
        " CROSS JOIN tutti_meta.weighed_credits($1, a.first_percent, a.last_percent,"
        "  a.half_life_seconds, $2::integer, $3, timestamptz '1970-01-01 00:00+00', $4::integer,"
        "  $5, $6, 0, NULL) ORDER BY touch"};
    struct params p;
    params_init(&p, &arena);
    params_text(&p, span_of(model_word(c->model)));
    params_int8(&p, c->n);
    params_bytea(&p, packed_touches(c));
    params_int8(&p, c->share);
    params_int8(&p, c->before);
    params_int8(&p, c->change);
    return run(&find, &p);
}

static void check_credits(const struct credit_rules *rules, const struct credit_case *c)
{
    int64_t weights[MOST];
    micros_sum share[MOST], before[MOST], after[MOST];
    credit_weights(rules, c->model, c->touches, c->n, (struct instant){0}, weights);
    credit_apportion(&arena, c->share, weights, c->n, share);
    credit_apportion(&arena, c->before, weights, c->n, before);
    credit_apportion(&arena, (micros_sum)c->before + c->change, weights, c->n, after);
    struct db_result *r = credits_in_sql(c);
    assert_int_equal(db_rows(r), c->n);
    for (uint32_t i = 0; i < c->n; i++) {
        assert_int_equal(db_int8(r, i, 0), (int64_t)share[i]);
        assert_int_equal(db_int8(r, i, 1), (int64_t)(after[i] - before[i]));
        assert_true(db_bool(r, i, 2));
    }
}

static void test_credit_is_that_of_the_derivation(void **state)
{
    struct random dice = random_from_environment();
    static const char *const said[] = {
        "", ",\"position\":{\"first\":0,\"last\":0},\"half_life\":\"PT1H\"",
        ",\"position\":{\"first\":90,\"last\":10},\"half_life\":\"P365D\""};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct journey_policy policy;
        read_policy(arena_printf(&arena, "{\"stages\":[]," ATTRIBUTION "%s}}", said[i]),
                    "{\"goals\":[]}", &policy);
        store_policy(&policy);
        for (int round = 0; round < CASES; round++) {
            struct credit_case c = random_case(&dice);
            check_credits(&policy.credit, &c);
        }
    }
}

static int set_up(void **state)
{
    char sql[200];
    world_open(&world);
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    snprintf(sql, sizeof sql,
             "INSERT INTO tutti_meta.generations (generation, policies, is_active)"
             " VALUES ('%s', '{}', true)",
             generation);
    database_must(db_script(db, sql, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    db_close(db);
    world_close(&world);
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_shown),
        cmocka_unit_test(test_absent_is_null),
        cmocka_unit_test(test_defaults_are_the_parsers),
        cmocka_unit_test(test_what_is_said_replaces_it),
        cmocka_unit_test(test_credit_is_that_of_the_derivation),
    };
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "journey_views_test");
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    scratch_drop(&scratch);
    return failed;
}
