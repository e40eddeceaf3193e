/* suppression_addresses_test.c: the word of an address: whose no and whose yes count, which
 * addresses a request relies on, and which of them failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "services/suppression/logic/addresses.h"
#include "tests/support/contact_book.h"

enum { USER = 1, HOME = 2, WORK = 3, ROOM = 16 };

static struct arena arena;
static struct contact_book *book;
static struct address_words words[2];
static const struct contact_fact *said[2][ROOM];
static struct contact_fact bodies[2][ROOM];
static struct known_address known[2];
static struct address_book addresses;
static uint32_t numbers;

static int set_up(void **state)
{
    book = calloc(1, sizeof *book);
    book->now = book_time("2026-12-01T00:00:00Z");
    numbers = 0;
    for (int i = 0; i < 2; i++)
        words[i] = (struct address_words){HOME + i, said[i], 0};
    addresses = (struct address_book){words, 2, known, 0};
    book->addresses = &addresses;
    return book == NULL;
}

static int tear_down(void **state)
{
    arena_free(&book->arena);
    arena_free(&arena);
    free(book);
    return 0;
}

static void use_rule(const char *rule)
{
    const char *text = arena_printf(&arena,
                                    "{\"classes\":{\"marketing\":{}},\"consent\":{\"*\":{\"on_"
                                    "unknown\":\"allow\"}},\"rules\":[%s]}",
                                    rule);
    book_use_policy(book, &arena, text);
}

static void opt_outs(void)
{
    use_rule("{\"id\":\"o\",\"kind\":\"opt_out\"}");
}

static struct span keys(int64_t a)
{
    struct strbuf out = {.arena = &arena};
    pack_be64(&out, (uint64_t)a);
    return a ? strbuf_span(&out) : SPAN_NONE;
}

/* A fact of the customer that names an address (0: none) besides the user id. */
static void own(const char *event, const char *consent, const char *at, int64_t names)
{
    struct contact_fact fact = book_fact(CONTACT_SIGNAL, event, book_time(at), ++numbers);
    fact.anchor = USER;
    fact.others = fact.addresses = keys(names);
    fact.consent = consent ? span_of(consent) : SPAN_NONE;
    book_add(book, fact);
}

/* What somebody else's touchpoint left under an address. */
static void other(const char *event, const char *consent, const char *at, int64_t address)
{
    struct address_words *w = &words[address - HOME];
    struct contact_fact *fact = &bodies[address - HOME][w->count];
    *fact = book_fact(CONTACT_SIGNAL, event, book_time(at), ++numbers);
    fact->flags = CONTACT_IS_COPY;
    fact->anchor = address;
    fact->consent = consent ? span_of(consent) : SPAN_NONE;
    w->facts[w->count++] = fact;
}

static void seen_with(int64_t address, const char *at)
{
    struct known_address *row = &known[addresses.known_count++];
    *row = (struct known_address){
        .anchor = USER, .channels = SPAN("email"), .first_at = book_time(at)};
    row->address_id.bytes[7] = (uint8_t)address;
}

static enum contact_verdict ask(int64_t names)
{
    struct contact_fact request = book_request_fact(book_time("2026-11-28T10:00:00Z"), ++numbers);
    request.anchor = USER;
    request.others = request.addresses = keys(names);
    return book_ask(book, request);
}

#define GRANTS(names) assert_int_equal(ask(names), VERDICT_GRANT)
#define DENIES(names) assert_int_equal(ask(names), VERDICT_DENY)

static void anybodys_no_counts_for_who_names_it(void **state)
{
    opt_outs();
    own("identify", "+email", "2026-11-01T00:00:00Z", 0);
    other("Unsubscribed", NULL, "2026-10-01T00:00:00Z", HOME);
    DENIES(HOME);
    GRANTS(WORK);
    GRANTS(0); /* was never seen with it */
    assert_null(strstr(arena_copy(&arena, book->last.rules).ptr, "address said no"));
    DENIES(HOME);
    assert_non_null(strstr(arena_copy(&arena, book->last.rules).ptr, "address said no"));
    assert_null(strstr(arena_copy(&arena, book->last.rules).ptr, "2026-10-01"));
}

static void a_yes_lifts_it_only_if_it_named_it(void **state)
{
    opt_outs();
    other("Unsubscribed", NULL, "2026-11-10T00:00:00Z", HOME);
    other("identify", "+email", "2026-11-25T00:00:00Z", HOME); /* another one's yes */
    own("identify", "+email", "2026-11-20T00:00:00Z", WORK);
    DENIES(HOME);
    own("identify", "+email", "2026-11-10T00:00:00Z", HOME);
    DENIES(HOME); /* a tie is a no */
    own("identify", "+email", "2026-11-10T00:00:01Z", HOME);
    GRANTS(HOME);
}

static void without_a_name_all_that_are_known_count(void **state)
{
    opt_outs();
    seen_with(HOME, "2026-11-01T00:00:00Z");
    own("identify", "+email", "2026-11-05T00:00:00Z", 0);
    other("Unsubscribed", NULL, "2026-11-01T00:00:00Z", HOME);
    GRANTS(0); /* any later yes of the customer */
    DENIES(HOME);
    other("x", "-email", "2026-11-05T00:00:00Z", HOME);
    DENIES(0);
    own("identify", "+email", "2026-11-06T00:00:00Z", 0);
    GRANTS(0);
}

static void other_channels_classes_and_holds_bind_nobody_else(void **state)
{
    use_rule(
        "{\"id\":\"o\",\"kind\":\"opt_out\"},{\"id\":\"h\",\"kind\":\"hold\",\"on\":[{\"event\":"
        "\"Complaint Filed\"}]}");
    seen_with(HOME, "2026-11-01T00:00:00Z");
    other("x", "-sms -marketing", "2026-11-10T00:00:00Z", HOME);
    other("Complaint Filed", NULL, "2026-11-11T00:00:00Z", HOME);
    GRANTS(HOME);
    GRANTS(0);
    other("x", "-all", "2026-11-12T00:00:00Z", HOME);
    DENIES(HOME);
    DENIES(0);
}

static void a_later_no_of_anybody_revokes(void **state)
{
    struct revocation *revocations;
    opt_outs();
    GRANTS(HOME);
    GRANTS(WORK);
    other("Unsubscribed", NULL, "2026-11-28T11:00:00Z", HOME);
    struct ledger ledger = book_ledger(book);
    assert_int_equal(contact_revoke(book->policy, &ledger, (struct contact_news){0},
                                    book_time("2026-11-28T11:00:00Z"), book->now, &arena,
                                    &revocations),
                     1);
    assert_string_equal(revocations[0].cause, "opt_out");
}

static void a_channel_may_need_an_address(void **state)
{
    struct err err = {0};
    struct contact_policy *policy = arena_new(&arena, struct contact_policy);
    struct span text = SPAN("{\"classes\":{\"marketing\":{}},\"needs_address\":[\"E-Mail\"],"
                            "\"rules\":[]}");
    assert_int_equal(suppression_policy_parse(&arena, text, "t.json", policy, &err), OUTCOME_OK);
    book->policy = policy;
    GRANTS(HOME);
    assert_int_equal(ask(0), VERDICT_INVALID);
    assert_string_equal(book->last.reason, "no_address");
}

static bool keeps(const char *key, enum outcome expected)
{
    struct err err = {0};
    struct contact_policy *policy = arena_new(&arena, struct contact_policy);
    const char *text = arena_printf(&arena, "{\"classes\":{\"marketing\":{}},%s\"rules\":[]}", key);
    assert_int_equal(suppression_policy_parse(&arena, span_of(text), "t.json", policy, &err),
                     expected);
    return policy->keep_opt_outs;
}

static void a_policy_keeps_opt_outs_unless_it_says_no(void **state)
{
    assert_true(keeps("", OUTCOME_OK));
    assert_true(keeps("\"keep_opt_outs\":true,", OUTCOME_OK));
    assert_false(keeps("\"keep_opt_outs\":false,", OUTCOME_OK));
    keeps("\"keep_opt_outs\":\"no\",", OUTCOME_REJECT);
}

static void failures(void)
{
    use_rule("{\"id\":\"b\",\"kind\":\"invalid_address\",\"on\":[\"Email Bounced\"],\"until\":["
             "\"Email Delivered\"],\"for\":\"P90D\"}");
}

static void a_failure_is_of_its_address(void **state)
{
    failures();
    seen_with(HOME, "2026-11-01T00:00:00Z");
    own("Email Bounced", NULL, "2026-11-02T00:00:00Z", HOME);
    DENIES(HOME);
    DENIES(0);
    GRANTS(WORK);
    seen_with(WORK, "2026-11-03T00:00:00Z");
    GRANTS(0);
    other("Email Bounced", NULL, "2026-11-04T00:00:00Z", WORK);
    DENIES(WORK);
    DENIES(0);
    assert_non_null(
        strstr(arena_copy(&arena, book->last.rules).ptr, "Email Bounced at 2026-11-02"));
    own("Email Delivered", NULL, "2026-11-05T00:00:00Z", WORK);
    GRANTS(WORK);
    GRANTS(0);
    DENIES(HOME);
}

static void a_failure_without_address_is_of_all_known_by_then(void **state)
{
    failures();
    own("Email Bounced", NULL, "2026-11-02T00:00:00Z", 0);
    DENIES(0); /* no address is known: the channel failed */
    GRANTS(HOME);
    seen_with(HOME, "2026-11-01T00:00:00Z");
    DENIES(HOME);
    DENIES(0);
    seen_with(WORK, "2026-11-22T00:00:00Z");
    GRANTS(WORK);
    GRANTS(0);
}

static void a_vague_success_ends_no_named_failure(void **state)
{
    failures();
    seen_with(HOME, "2026-11-01T00:00:00Z");
    own("Email Bounced", NULL, "2026-11-02T00:00:00Z", HOME);
    own("Email Delivered", NULL, "2026-11-03T00:00:00Z", 0);
    GRANTS(0); /* the only address that it can mean */
    seen_with(WORK, "2026-11-01T00:00:00Z");
    GRANTS(0);
    own("Email Bounced", NULL, "2026-11-03T00:00:00Z", WORK);
    DENIES(0);
}

/* The fact that was added last came in before its time. */
static void received(const char *at)
{
    book->facts[book->fact_count - 1].received_at = book_time(at);
}

static void a_success_dated_ahead_counts_from_when_it_came_in(void **state)
{
    failures();
    own("Email Delivered", NULL, "2027-11-02T00:00:00Z", HOME);
    received("2026-11-02T00:00:00Z");
    own("Email Bounced", NULL, "2026-11-03T00:00:00Z", HOME);
    DENIES(HOME);
    own("Email Delivered", NULL, "2027-11-04T00:00:00Z", HOME);
    received("2026-11-03T00:00:00Z"); /* of one instant the failure counts */
    DENIES(HOME);
    own("Email Delivered", NULL, "2027-11-01T00:00:00Z", HOME);
    received("2026-11-03T00:00:01Z");
    GRANTS(HOME);
    other("Email Bounced", NULL, "2026-11-05T00:00:00Z", HOME);
    DENIES(HOME);
    other("Email Delivered", NULL, "2027-11-05T00:00:00Z", HOME);
    bodies[0][1].received_at = book_time("2026-11-04T00:00:00Z");
    DENIES(HOME);
    bodies[0][1].received_at = book_time("2026-11-06T00:00:00Z");
    GRANTS(HOME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(anybodys_no_counts_for_who_names_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_yes_lifts_it_only_if_it_named_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_name_all_that_are_known_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_channels_classes_and_holds_bind_nobody_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_later_no_of_anybody_revokes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_channel_may_need_an_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_policy_keeps_opt_outs_unless_it_says_no, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_of_its_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_without_address_is_of_all_known_by_then, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_success_dated_ahead_counts_from_when_it_came_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_vague_success_ends_no_named_failure, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
