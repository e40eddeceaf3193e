/* suppression_holdout_test.c: who draws in a holdout, when, and what it means for contacts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/suppression/logic/rules.h"
#include "tests/support/contact_book.h"

/* In "global" these draw 157, 499, 500 and 3251 of 10,000. */
enum { FIRST_CONTROL = 0x11, LAST_CONTROL = 0x6c09, FIRST_TREATED = 0x684, TREATED = 1 };

#define GLOBAL                                                                                     \
    "{\"id\":\"global\",\"kind\":\"holdout\",\"percent\":5,\"classes\":[\"marketing\"]%s}"
#define UPSET "{\"id\":\"upset\",\"kind\":\"hold\",\"on\":[\"Complaint Filed\"],\"for\":\"P1D\"},"

static struct arena arena;
static struct contact_book *book;
static uint32_t numbers;

static int set_up(void **state)
{
    book = calloc(1, sizeof *book);
    numbers = 0;
    book->now = book_time("2026-01-01T00:00:00Z");
    return book == NULL;
}

static int tear_down(void **state)
{
    arena_free(&book->arena);
    arena_free(&arena);
    free(book);
    return 0;
}

static void start_again(void **state)
{
    tear_down(state);
    set_up(state);
}

static void use_rules(const char *rules)
{
    const char *text = arena_printf(
        &arena, "{\"classes\":{\"marketing\":{},\"service\":{\"obeys\":false}},\"rules\":[%s]}",
        rules);
    book_use_policy(book, &arena, text);
}

static void use_global(const char *before, const char *more)
{
    use_rules(arena_printf(&arena, "%s" GLOBAL, before, more));
}

static struct contact_fact request_of(uint32_t anchor, const char *at)
{
    struct contact_fact request = book_request_fact(book_time(at), ++numbers);
    request.anchor_id = book_id(anchor);
    request.anchor_id.bytes[0] = 0;
    request.anchor = id_short(&request.anchor_id);
    return request;
}

static void asks(struct contact_fact request, enum contact_verdict verdict, const char *reason)
{
    book_ask(book, request);
    assert_int_equal(book->last.verdict, verdict);
    if (reason)
        assert_string_equal(book->last.reason, reason);
    else
        assert_null(book->last.reason);
}

static void holds_out(struct contact_fact request)
{
    asks(request, VERDICT_DENY, "holdout");
    assert_int_equal(book->last.retry_at.us, INSTANT_ABSENT.us);
}

static void assert_drawn(size_t at, const char *holdout, enum contact_arm arm)
{
    assert_true(at < book->arms.count);
    assert_true(span_is(book->arms.items[at].holdout, holdout));
    assert_int_equal(book->arms.items[at].arm, arm);
}

static void who_draws_control_is_not_contacted(void **state)
{
    static const struct {
        uint32_t anchor;
        bool is_control;
    } rows[] = {
        {FIRST_CONTROL, true}, {LAST_CONTROL, true}, {FIRST_TREATED, false}, {TREATED, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_global("", "");
        struct contact_fact request = request_of(rows[i].anchor, "2026-03-01T10:00:00Z");
        if (rows[i].is_control)
            holds_out(request);
        else
            asks(request, VERDICT_GRANT, NULL);
        assert_drawn(0, "global", rows[i].is_control ? ARM_CONTROL : ARM_TREATED);
        assert_int_equal(book->arms.items[0].basis_points, 500);
        assert_int_equal(book->arms.items[0].assigned_at.us, request.at.us);
        assert_true(id_equal(&book->arms.items[0].request_id, &request.event_id));
    }
}

/* Nobody is assigned by a request that would have been refused anyway. */
static void only_a_request_that_would_be_granted_draws(void **state)
{
    use_global(UPSET, "");
    book_add(book, book_fact(CONTACT_SIGNAL, "Complaint Filed", book_time("2026-03-01T09:00:00Z"),
                             ++numbers));
    struct contact_fact early = request_of(FIRST_CONTROL, "2026-03-01T10:00:00Z");
    asks(early, VERDICT_DENY, "hold");
    assert_int_equal(book->last.retry_at.us, book_time("2026-03-02T09:00:00Z").us);
    assert_int_equal(book->arms.count, 0);
    holds_out(request_of(FIRST_CONTROL, "2026-03-02T10:00:00Z"));
    assert_int_equal(book->arms.count, 1);
    assert_int_equal(book->arms.items[0].assigned_at.us, book_time("2026-03-02T10:00:00Z").us);
}

static void it_is_for_some_requests_alone(void **state)
{
    static const struct {
        const char *more, *at, *campaign, *class;
        bool is_for;
    } rows[] = {
        {"", "2026-03-01T10:00:00Z", NULL, "marketing", true},
        {"", "2026-03-01T10:00:00Z", NULL, "service", false},
        {",\"from\":\"2026-03-01\"", "2026-02-28T23:59:59Z", NULL, "marketing", false},
        {",\"from\":\"2026-03-01\"", "2026-03-01T00:00:00Z", NULL, "marketing", true},
        {",\"campaigns\":[\"spring\"]", "2026-03-01T10:00:00Z", NULL, "marketing", false},
        {",\"campaigns\":[\"spring\"]", "2026-03-01T10:00:00Z", "autumn", "marketing", false},
        {",\"campaigns\":[\"spring\"]", "2026-03-01T10:00:00Z", "spring", "marketing", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_global("", rows[i].more);
        struct contact_fact request = request_of(FIRST_CONTROL, rows[i].at);
        request.class = span_of(rows[i].class);
        request.campaign_id = rows[i].campaign ? span_of(rows[i].campaign) : SPAN_NONE;
        book_ask(book, request);
        if ((book->last.verdict == VERDICT_DENY) != rows[i].is_for ||
            (book->arms.count == 1) != rows[i].is_for)
            fail_msg("row %zu", i);
    }
}

/* The profile has one arm, whichever of its identifiers asks, and whatever the percent is by now.
 */
static void an_arm_stays(void **state)
{
    use_global("", "");
    asks(request_of(FIRST_TREATED, "2026-03-01T10:00:00Z"), VERDICT_GRANT, NULL);
    asks(request_of(FIRST_CONTROL, "2026-03-02T10:00:00Z"), VERDICT_GRANT, NULL);
    use_rules(
        "{\"id\":\"global\",\"kind\":\"holdout\",\"percent\":50,\"classes\":[\"marketing\"]}");
    asks(request_of(FIRST_TREATED, "2026-03-03T10:00:00Z"), VERDICT_GRANT, NULL);
    assert_int_equal(book->arms.count, 1);
}

/* M5: joined, both are control; cut, each side has its own again. */
static void of_people_who_were_joined_any_control_decides(void **state)
{
    const struct arm control = {.holdout = SPAN("global"), .anchor = 1, .arm = ARM_CONTROL};
    const struct arm treated = {.holdout = SPAN("global"), .anchor = 2, .arm = ARM_TREATED};
    const struct arm other = {.holdout = SPAN("spring"), .anchor = 2, .arm = ARM_CONTROL};
    use_global("", "");
    *arena_push(&book->arena, &book->arms) = treated;
    *arena_push(&book->arena, &book->arms) = other;
    asks(request_of(FIRST_CONTROL, "2026-03-01T10:00:00Z"), VERDICT_GRANT, NULL);
    *arena_push(&book->arena, &book->arms) = control;
    holds_out(request_of(TREATED, "2026-03-02T10:00:00Z"));
    assert_int_equal(book->arms.count, 3);
    book->arms.count = 2;
    asks(request_of(TREATED, "2026-03-03T10:00:00Z"), VERDICT_GRANT, NULL);
}

/* Who is control in the first gets no arm in the second by that request. */
static void later_holdouts_count_the_earlier_ones(void **state)
{
    use_rules(
        "{\"id\":\"global\",\"kind\":\"holdout\",\"percent\":5,\"classes\":[\"marketing\"]},"
        "{\"id\":\"spring\",\"kind\":\"holdout\",\"percent\":20,\"classes\":[\"marketing\"]}");
    holds_out(request_of(FIRST_CONTROL, "2026-03-01T10:00:00Z"));
    assert_int_equal(book->arms.count, 1);
    assert_non_null(memmem(book->last.rules.ptr, book->last.rules.len, "not asked", 9));
    book->arms.count = 0;
    holds_out(request_of(TREATED, "2026-03-02T10:00:00Z")); /* 3251, then 1412 */
    assert_string_equal(book->policy->rules[book->last.rule].id.ptr, "spring");
    assert_drawn(0, "global", ARM_TREATED);
    assert_drawn(1, "spring", ARM_CONTROL);
}

/* A grant that is open stays: the lot was drawn for it. */
static void it_revokes_nothing(void **state)
{
    struct revocation *revocations;
    use_global("", "");
    asks(request_of(TREATED, "2026-03-01T10:00:00Z"), VERDICT_GRANT, NULL);
    book->arms.items[0].arm = ARM_CONTROL;
    struct ledger ledger = book_ledger(book);
    struct instant at = book_time("2026-03-01T11:00:00Z");
    assert_int_equal(contact_revoke(book->policy, &ledger, (struct contact_news){.is_merged = true},
                                    at, at, &book->arena, &revocations),
                     0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_draws_control_is_not_contacted),
        TEST(only_a_request_that_would_be_granted_draws),
        TEST(it_is_for_some_requests_alone),
        TEST(an_arm_stays),
        TEST(of_people_who_were_joined_any_control_decides),
        TEST(later_holdouts_count_the_earlier_ones),
        TEST(it_revokes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
