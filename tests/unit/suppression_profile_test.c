/* suppression_profile_test.c: what a batch of one customer's facts leads to: the order of its
 * requests, and requests that are told twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/suppression/suppression_profile.h"
#include "tests/support/contact_book.h"

enum { ROOM = 8 };

static struct arena arena;
static struct ledger_fact facts[ROOM];
static size_t fact_count;
static struct instant open_until; /* of the last profile that was decided */

static int set_up(void **state)
{
    fact_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

static struct ledger_fact *add(struct contact_fact body, int64_t anchor, bool is_new)
{
    struct ledger_fact *fact = &facts[fact_count++];
    *fact = (struct ledger_fact){.key = {anchor, body.at, body.event_id}, .body = body};
    fact->origin = is_new ? fact : NULL;
    return fact;
}

static struct contact_fact asked_at(const char *at, uint32_t number, int16_t priority)
{
    struct contact_fact request = book_request_fact(book_time(at), number);
    request.priority = priority;
    return request;
}

static struct profile_results decide(const struct reservation *known, size_t known_count)
{
    static const char text[] =
        "{\"classes\":{\"marketing\":{}},\"rules\":[{\"id\":\"c\",\"kind\":\"cap\","
        "\"per\":\"P7D\",\"limit\":1}]}";
    struct contact_policy *policy = arena_new(&arena, struct contact_policy);
    struct profile_results results = {0};
    struct ledger_fact *pointers[ROOM];
    struct err err = {0};
    if (suppression_policy_parse(&arena, span_of(text), "test.json", policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < fact_count; i++)
        pointers[i] = &facts[i];
    struct profile profile = {.facts = pointers, .fact_count = fact_count};
    profile_decide(policy, &profile, known, known_count, book_time("2026-03-01T00:00:00Z"), &arena,
                   &results);
    open_until = profile.open_until;
    return results;
}

static enum contact_verdict verdict_of(const struct profile_results *results, uint32_t number)
{
    struct id id = book_id(number);
    for (size_t i = 0; i < results->decisions.count; i++)
        if (id_equal(&results->decisions.items[i].request_id, &id))
            return (enum contact_verdict)results->decisions.items[i].verdict;
    return 0;
}

/* Whatever the ids are, and in whatever order the facts come. */
static void of_one_instant_the_highest_priority_is_first(void **state)
{
    static const int16_t priorities[][2] = {
        {1, 3}, {3, 1}, {CONTACT_PRIORITY_ABSENT, 3}, {CONTACT_PRIORITY_ABSENT, 1}, {1, 2}};
    for (size_t i = 0; i < sizeof priorities / sizeof *priorities; i++) {
        const int16_t *p = priorities[i];
        fact_count = 0;
        add(asked_at("2026-03-01T10:00:00Z", 1, p[0]), 7, true);
        add(asked_at("2026-03-01T10:00:00Z", 2, p[1]), 5, true);
        struct profile_results results = decide(NULL, 0);
        int first = p[0] == CONTACT_PRIORITY_ABSENT ? 2 : p[0], second = p[1];
        assert_int_equal(verdict_of(&results, first > second ? 1 : 2), VERDICT_GRANT);
        assert_int_equal(verdict_of(&results, first > second ? 2 : 1), VERDICT_DENY);
    }
}

static void an_earlier_request_is_first_whatever_its_priority(void **state)
{
    add(asked_at("2026-03-01T10:00:01Z", 1, 3), 5, true);
    add(asked_at("2026-03-01T10:00:00Z", 2, 1), 5, true);
    struct profile_results results = decide(NULL, 0);
    assert_int_equal(verdict_of(&results, 2), VERDICT_GRANT);
    assert_int_equal(verdict_of(&results, 1), VERDICT_DENY);
}

/* With another anchor, or at another time: one request, one decision. */
static void a_request_told_twice_is_decided_once(void **state)
{
    add(asked_at("2026-03-01T10:00:00Z", 1, 2), 7, true);
    add(asked_at("2026-03-01T10:00:00Z", 1, 2), 5, true);
    add(asked_at("2026-03-01T11:00:00Z", 1, 2), 5, true);
    struct profile_results results = decide(NULL, 0);
    assert_int_equal(results.decisions.count, 1);
    assert_int_equal(results.decisions.items[0].anchor, 5);
    assert_int_equal(verdict_of(&results, 1), VERDICT_GRANT);
}

static void a_decided_request_keeps_its_verdict_and_place(void **state)
{
    struct reservation known = {.request_id = book_id(1),
                                .verdict = VERDICT_GRANT,
                                .planned_at = book_time("2026-03-01T10:00:00Z"),
                                .expires_at = book_time("2026-03-02T10:00:00Z"),
                                .sent_at = INSTANT_ABSENT,
                                .claimed_at = INSTANT_ABSENT};
    add(asked_at("2026-03-01T10:00:00Z", 1, 2), 7, false);
    add(asked_at("2026-03-01T09:00:00Z", 1, 2), 7, true);
    add(asked_at("2026-03-01T11:00:00Z", 2, 2), 7, true);
    struct profile_results results = decide(&known, 1);
    assert_int_equal(results.decisions.count, 1);
    assert_int_equal(verdict_of(&results, 2), VERDICT_DENY);
}

/* A send may be known before its request is. */
static void a_known_send_is_the_outcome(void **state)
{
    struct contact_fact sent =
        book_fact(CONTACT_SENT, "Contact Sent", book_time("2026-03-01T12:00:00Z"), 9);
    sent.decision_id = book_id(1);
    add(sent, 7, false);
    add(asked_at("2026-03-01T10:00:00Z", 1, 2), 7, true);
    struct profile_results results = decide(NULL, 0);
    assert_int_equal(results.decisions.items[0].outcome, RESULT_SENT);
    assert_int_equal(results.decisions.items[0].sent_at.us, sent.at.us);
}

/* The last of its open grants counts. What is over, by both clocks, is not open. */
static void the_profile_knows_until_when_a_grant_is_open(void **state)
{
    add(asked_at("2026-03-01T10:00:00Z", 1, 2), 7, true);
    decide(NULL, 0);
    assert_int_equal(open_until.us, book_time("2026-03-02T10:00:00Z").us);

    struct reservation known = {.request_id = book_id(1),
                                .verdict = VERDICT_GRANT,
                                .planned_at = book_time("2026-02-01T10:00:00Z"),
                                .expires_at = book_time("2026-02-02T10:00:00Z"),
                                .sent_at = INSTANT_ABSENT,
                                .claimed_at = INSTANT_ABSENT};
    fact_count = 0;
    add(asked_at("2026-02-01T10:00:00Z", 1, 2), 7, false);
    decide(&known, 1);
    assert_int_equal(open_until.us, known.expires_at.us); /* nothing is known from after it */
    add(book_fact(CONTACT_SIGNAL, "Page Viewed", known.expires_at, 9), 7, true);
    decide(&known, 1);
    assert_int_equal(open_until.us, INSTANT_ABSENT.us);

    known.outcome = RESULT_SENT;
    fact_count = 1;
    decide(&known, 1);
    assert_int_equal(open_until.us, INSTANT_ABSENT.us);
    fact_count = 0;
    decide(NULL, 0);
    assert_int_equal(open_until.us, INSTANT_ABSENT.us);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(of_one_instant_the_highest_priority_is_first),
        TEST(an_earlier_request_is_first_whatever_its_priority),
        TEST(a_request_told_twice_is_decided_once),
        TEST(a_decided_request_keeps_its_verdict_and_place),
        TEST(a_known_send_is_the_outcome),
        TEST(the_profile_knows_until_when_a_grant_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
