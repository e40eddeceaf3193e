/* suppression_copy_test.c: what a fact is to the other identifiers of its touchpoint: which facts
 * have copies, and what each rule makes of a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/suppression/logic/consent.h"
#include "tests/support/contact_book.h"

static struct arena arena;

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

static struct contact_fact fact_of(enum contact_kind kind, const char *consent)
{
    struct contact_fact fact =
        book_fact(kind, "Complaint Filed", book_time("2026-03-01T00:00:00Z"), 7);
    fact.consent = span_of(consent);
    fact.score = -60;
    fact.product_id = SPAN("sku-1");
    fact.product_category = SPAN("printers");
    return fact;
}

struct copy_row {
    enum contact_kind kind;
    const char *consent;
    bool is_copied;
    const char *event; /* of the copy */
};

static void which_facts_have_copies(void **state)
{
    static const struct copy_row rows[] = {
        {CONTACT_SIGNAL, NULL, true, "Complaint Filed"},
        {CONTACT_SIGNAL, "-email", true, "Complaint Filed"},
        {CONTACT_SIGNAL, "+email", true, "Complaint Filed"}, /* its event may open a hold */
        {CONTACT_REQUEST, NULL, false, NULL},
        {CONTACT_REQUEST, "+email", false, NULL},
        {CONTACT_REQUEST, "+email -sms", true, ""},
        {CONTACT_SENT, NULL, false, NULL},
        {CONTACT_SENT, "-*", true, ""},
        {CONTACT_DELIVERED, NULL, false, NULL},
        {CONTACT_FAILED, NULL, false, NULL},
        {CONTACT_CANCELLED, NULL, false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct contact_fact fact = fact_of(rows[i].kind, rows[i].consent), copy = {.kind = 99};
        fact.decision_id = book_id(3);
        if (contact_copy(&fact, &copy) != rows[i].is_copied)
            fail_msg("row %zu", i);
        if (!rows[i].is_copied)
            continue;
        assert_int_equal(copy.kind, CONTACT_SIGNAL);
        assert_int_equal(copy.flags, CONTACT_IS_COPY);
        assert_true(span_is(copy.event, rows[i].event));
        assert_true(span_equal(copy.consent, fact.consent));
        assert_int_equal(copy.score, *rows[i].event ? -60 : CONTACT_SCORE_ABSENT);
        assert_int_equal(copy.product_id.len + copy.product_category.len, 0);
        assert_true(id_is_nil(&copy.decision_id));
        assert_true(id_equal(&copy.event_id, &fact.event_id) && copy.at.us == fact.at.us);
    }
}

/* A pause binds everyone that is named, even where the touchpoint is a contact. */
static void a_pause_is_copied(void **state)
{
    struct contact_fact fact = fact_of(CONTACT_SENT, NULL), copy;
    fact.preferences = SPAN("time_zone\x1fUTC\x1f\npause\x1f\n");
    assert_false(contact_copy(&fact, &copy));
    fact.preferences = SPAN("pause\x1f"
                            "2027-03-01\x1f\n");
    assert_true(contact_copy(&fact, &copy));
    assert_true(span_equal(copy.preferences, fact.preferences));
}

struct consent_row {
    const char *consent;
    enum consent_word original, copy; /* what they say of email */
};

static enum consent_word says(const struct contact_fact *fact)
{
    static const struct contact_policy no_words;
    struct consent_key email = consent_key_of(CONSENT_CHANNEL, SPAN("email"));
    return consent_ask(&no_words, &fact, 1, email).word;
}

/* An opt-in is its anchor's alone; an exception from "all" stays one, too. */
static void opt_ins_of_copies_say_nothing(void **state)
{
    static const struct consent_row rows[] = {
        {NULL, CONSENT_SILENT, CONSENT_SILENT},      {"-email", CONSENT_OUT, CONSENT_OUT},
        {"+email", CONSENT_IN, CONSENT_SILENT},      {"-sms", CONSENT_SILENT, CONSENT_SILENT},
        {"-all", CONSENT_OUT, CONSENT_OUT},          {"+all", CONSENT_IN, CONSENT_SILENT},
        {"-all +email", CONSENT_IN, CONSENT_SILENT}, {"+email -all", CONSENT_IN, CONSENT_SILENT},
        {"+all -email", CONSENT_OUT, CONSENT_OUT},   {"+email -E-Mail", CONSENT_OUT, CONSENT_OUT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct contact_fact fact = fact_of(CONTACT_SIGNAL, rows[i].consent), copy;
        assert_true(contact_copy(&fact, &copy));
        if (says(&fact) != rows[i].original || says(&copy) != rows[i].copy)
            fail_msg("row %zu: %s", i, rows[i].consent);
    }
}

struct rule_row {
    const char *rule, *event;
    bool original, copy; /* whether it forbids a contact */
};

static bool forbids(const char *rule, const struct contact_fact *fact)
{
    static const char *const form = "{\"classes\":{\"marketing\":{}},\"consent\":{\"*\":{\"on_"
                                    "unknown\":\"allow\"}},\"rules\":[%s]}";
    struct err err = {0};
    struct contact_policy *policy = arena_new(&arena, struct contact_policy);
    struct span text = span_of(arena_printf(&arena, form, rule));
    assert_int_equal(suppression_policy_parse(&arena, text, "test.json", policy, &err), OUTCOME_OK);
    struct contact_fact request = book_request_fact(book_time("2026-03-02T00:00:00Z"), 9);
    request.product_id = SPAN("sku-1");
    const struct contact_fact *facts[] = {fact};
    struct ledger ledger = {.facts = facts, .fact_count = 1};
    struct contact_decision decision;
    contact_decide(policy, &ledger, &request, request.at, &arena, &decision);
    return decision.verdict == VERDICT_DENY;
}

static void what_rules_make_of_copies(void **state)
{
    static const struct rule_row rows[] = {
        {"{\"id\":\"a\",\"kind\":\"opt_out\"}", "Unsubscribed", true, true},
        {"{\"id\":\"a\",\"kind\":\"hold\",\"on\":[\"Complaint Filed\"]}", "Complaint Filed", true,
         true},
        {"{\"id\":\"a\",\"kind\":\"hold\",\"on\":[{\"score_max\":-50}]}", "Survey Answered", true,
         true},
        {"{\"id\":\"a\",\"kind\":\"invalid_address\",\"on\":[\"Email Bounced\"]}", "Email Bounced",
         true, false},
        {"{\"id\":\"a\",\"kind\":\"already_bought\",\"on\":[\"Order Completed\"]}",
         "Order Completed", true, false},
        {"{\"id\":\"a\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}", "Order Completed", false,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct contact_fact fact = fact_of(CONTACT_SIGNAL, i == 0 ? "-email" : NULL), copy;
        fact.event = span_of(rows[i].event);
        assert_true(contact_copy(&fact, &copy));
        if (forbids(rows[i].rule, &fact) != rows[i].original ||
            forbids(rows[i].rule, &copy) != rows[i].copy)
            fail_msg("row %zu: %s", i, rows[i].event);
    }
}

/* A copy of a bounced address does not end what the customer's own bounce began, either. */
static void copies_end_no_failure_of_an_address(void **state)
{
    static const char rule[] = "{\"id\":\"a\",\"kind\":\"invalid_address\",\"on\":[\"Email "
                               "Bounced\"],\"until\":[\"Address Confirmed\"]}";
    struct contact_book *book = calloc(1, sizeof *book);
    struct contact_policy *policy = arena_new(&arena, struct contact_policy);
    struct err err = {0};
    struct span text = span_of(arena_printf(&arena,
                                            "{\"classes\":{\"marketing\":{}},\"consent\":{\"*\":{"
                                            "\"on_unknown\":\"allow\"}},\"rules\":[%s]}",
                                            rule));
    assert_non_null(book);
    assert_int_equal(suppression_policy_parse(&arena, text, "test.json", policy, &err), OUTCOME_OK);
    book->policy = policy;
    struct contact_fact bounced = book_fact(CONTACT_SIGNAL, "Email Bounced",
                                            book_time("2026-03-01T00:00:00Z"), 1),
                        copy;
    struct contact_fact confirmed =
        book_fact(CONTACT_SIGNAL, "Address Confirmed", book_time("2026-03-02T00:00:00Z"), 2);
    assert_true(contact_copy(&confirmed, &copy));
    book_add(book, bounced);
    book_add(book, copy);
    assert_int_equal(book_ask(book, book_request_fact(book_time("2026-03-03T00:00:00Z"), 3)),
                     VERDICT_DENY);
    book_add(book, confirmed);
    assert_int_equal(book_ask(book, book_request_fact(book_time("2026-03-03T00:00:00Z"), 4)),
                     VERDICT_GRANT);
    arena_free(&book->arena);
    free(book);
}

static void the_original_comes_before_its_copies(void **state)
{
    struct contact_fact fact = fact_of(CONTACT_SIGNAL, "-email"), copy, other, later = fact;
    assert_true(contact_copy(&fact, &copy));
    other = fact;
    other.event_id = book_id(8);
    later.at.us++;
    assert_true(contact_fact_order(&fact, &copy) < 0 && contact_fact_order(&copy, &fact) > 0);
    assert_int_equal(contact_fact_order(&copy, &copy), 0);
    assert_true(contact_fact_order(&copy, &other) < 0 && contact_fact_order(&copy, &later) < 0);
    assert_true(contact_is_repeat(&copy, &fact) && contact_is_repeat(&copy, &copy));
    assert_false(contact_is_repeat(&fact, &fact)); /* two senders' claims are not silently one */
    assert_false(contact_is_repeat(&copy, &other) || contact_is_repeat(&copy, &later));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(which_facts_have_copies, tear_down),
        cmocka_unit_test_teardown(a_pause_is_copied, tear_down),
        cmocka_unit_test_teardown(opt_ins_of_copies_say_nothing, tear_down),
        cmocka_unit_test_teardown(what_rules_make_of_copies, tear_down),
        cmocka_unit_test_teardown(copies_end_no_failure_of_an_address, tear_down),
        cmocka_unit_test_teardown(the_original_comes_before_its_copies, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
