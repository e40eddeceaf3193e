/* suppression_walk_test.c: the walk of one customer's past under a policy: single stories, and
 * random ones against a walk that builds the whole ledger again for each request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "services/suppression/logic/rules.h"
#include "services/suppression/logic/walk.h"
#include "tests/support/contact_book.h"

static struct arena arena;
static struct contact_book *book;
static uint32_t numbers;

static int set_up(void **state)
{
    book = calloc(1, sizeof *book);
    numbers = 0;
    return book == NULL;
}

static int tear_down(void **state)
{
    arena_free(&book->arena);
    arena_free(&arena);
    free(book);
    return 0;
}

static void use_rules(const char *rules)
{
    const char *text = arena_printf(
        &arena,
        "{\"classes\":{\"marketing\":{},\"service\":{\"obeys\":false}},\"consent\":{\"*\":{"
        "\"on_unknown\":\"allow\"}},\"reservation\":{\"default\":\"PT24H\"},\"rules\":[%s]}",
        rules);
    book_use_policy(book, &arena, text);
}

static struct instant day(double number)
{
    return instant_plus(book_time("2026-01-01T10:00:00Z"),
                        (struct duration){(int64_t)(number * (double)US_PER_DAY)});
}

static uint32_t asks(double at)
{
    book_add(book, book_request_fact(day(at), ++numbers));
    return numbers;
}

/* request 0: none. */
static void happens(enum contact_kind kind, double at, uint32_t request)
{
    struct contact_fact fact = book_fact(kind, "", day(at), ++numbers);
    fact.class = SPAN("marketing");
    if (request)
        fact.decision_id = book_id(request);
    book_add(book, fact);
}

static void sends(double at)
{
    happens(CONTACT_SENT, at, 0);
}

/* What is stored of a request. */
static void decided(uint32_t request, enum contact_verdict verdict, double planned)
{
    book->reservations[book->reservation_count++] = (struct reservation){
        .request_id = book_id(request),
        .verdict = (int16_t)verdict,
        .outcome = RESULT_OPEN,
        .planned_at = day(planned),
        .expires_at = verdict == VERDICT_GRANT ? day(planned + 1) : INSTANT_NEVER,
        .sent_at = INSTANT_ABSENT,
        .claimed_at = INSTANT_ABSENT,
    };
}

static struct history history(void)
{
    return (struct history){book->sorted,       book->fact_count,
                            book->reservations, book->reservation_count,
                            book->addresses,    book->places};
}

static const struct walk_terms whole = {INSTANT_FIRST, INSTANT_NEVER, true, {"marketing", 9}};

/* granted: "+" and "-" in the order of the walk. */
static void assert_walk(const struct walk_terms *terms, const char *granted)
{
    struct history past = history();
    struct walked *walked;
    char seen[BOOK_ROOM + 1] = "";
    size_t count = contact_walk(book->policy, &past, terms, &arena, &walked);
    for (size_t i = 0; i < count; i++)
        seen[i] = walked[i].verdict == VERDICT_GRANT ? '+' : '-';
    assert_string_equal(seen, granted);
}

#define ONE_IN_30 "{\"id\":\"mail\",\"kind\":\"cap\",\"per\":\"P30D\",\"limit\":1}"

/* ---- stories ---- */

static void what_is_refused_fills_no_window(void **state)
{
    use_rules(ONE_IN_30);
    for (int i = 0; i < 4; i++)
        sends(20 * i);
    assert_walk(&whole, "+-+-"); /* all four as they were sent would be +--- */
}

static void a_request_counts_at_its_send(void **state)
{
    use_rules(ONE_IN_30);
    uint32_t first = asks(0);
    happens(CONTACT_SENT, 5, first);
    asks(31);
    asks(36);
    assert_walk(&whole, "+-+");
}

static void a_refused_request_takes_its_send_along(void **state)
{
    use_rules(ONE_IN_30);
    sends(0);
    uint32_t refused = asks(10);
    happens(CONTACT_SENT, 10.5, refused);
    asks(31);
    assert_walk(&whole, "+-+");
}

static void a_grant_without_a_send_is_held_until_it_expires(void **state)
{
    use_rules(ONE_IN_30);
    asks(0);
    asks(0.5);
    asks(1.5);
    assert_walk(&whole, "+-+");
}

static void a_cancelled_grant_is_free_again(void **state)
{
    use_rules(ONE_IN_30);
    uint32_t first = asks(0);
    happens(CONTACT_CANCELLED, 0.2, first);
    asks(0.1);
    asks(0.3);
    assert_walk(&whole, "+-+");
}

static void a_delivery_alone_is_the_contact(void **state)
{
    use_rules(ONE_IN_30);
    uint32_t first = asks(0);
    happens(CONTACT_DELIVERED, 3, first);
    asks(20);
    asks(34);
    assert_walk(&whole, "+-+");
}

static void what_happened_later_is_not_known(void **state)
{
    use_rules("{\"id\":\"upset\",\"kind\":\"hold\",\"on\":[\"Complaint Filed\"],\"for\":\"P30D\"}");
    asks(0);
    book_add(book, book_fact(CONTACT_SIGNAL, "Complaint Filed", day(1), ++numbers));
    asks(2);
    asks(40);
    assert_walk(&whole, "+-+");
}

static void the_time_before_stands_as_it_is(void **state)
{
    struct walk_terms terms = {day(15), day(45), true, SPAN("marketing")};
    use_rules(ONE_IN_30);
    sends(0);
    sends(10); /* the policy would have refused it */
    uint32_t granted = asks(14);
    decided(granted, VERDICT_GRANT, 14);
    uint32_t denied = asks(14.5);
    decided(denied, VERDICT_DENY, 14.5);
    happens(CONTACT_SENT, 16, granted);
    sends(30);
    sends(44); /* 16 and 44 are too near */
    sends(47);
    assert_walk(&terms, "--");
    terms.until = day(48);
    assert_walk(&terms, "--+");
}

static void sends_that_are_not_asked_about_stand(void **state)
{
    struct walk_terms terms = whole;
    terms.with_sends = false;
    use_rules(ONE_IN_30);
    sends(0);
    sends(20);
    asks(35);
    asks(55);
    assert_walk(&terms, "-+");   /* both sends were made */
    assert_walk(&whole, "+-++"); /* the second was not, and nobody made use of the first request */
}

static void sends_have_the_class_that_is_given(void **state)
{
    struct walk_terms terms = whole;
    use_rules(ONE_IN_30);
    for (int i = 0; i < 3; i++)
        happens(CONTACT_SENT, i, 0);
    for (size_t i = 0; i < book->fact_count; i++)
        book->facts[i].class = SPAN_NONE;
    assert_walk(&terms, "+--");
    terms.class = SPAN("service"); /* obeys no caps */
    assert_walk(&terms, "+++");
    terms.class = SPAN("nonsense");
    assert_walk(&terms, "---");
}

static void the_higher_priority_is_asked_first(void **state)
{
    use_rules(ONE_IN_30);
    for (int priority = 1; priority <= 3; priority++) {
        struct contact_fact request = book_request_fact(day(0), ++numbers);
        request.priority = (int16_t)priority;
        book_add(book, request);
    }
    struct history past = history();
    struct walked *walked;
    assert_int_equal(contact_walk(book->policy, &past, &whole, &arena, &walked), 3);
    assert_int_equal(walked[0].request->priority, 3);
    assert_int_equal(walked[0].verdict, VERDICT_GRANT);
    assert_int_equal(walked[1].verdict, VERDICT_DENY);
    assert_true(walked[1].is_alone);
    assert_int_equal(walked[1].rule, 0);
    assert_string_equal(walked[1].reason, "cap");
}

/* A word about an address counts from when it was said, and of each saying the newest so far. */
static void words_of_addresses_come_in_their_time(void **state)
{
    static unsigned char key[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct contact_fact no = book_fact(CONTACT_SIGNAL, "Unsubscribed", day(10), 900),
                        again = book_fact(CONTACT_SIGNAL, "Unsubscribed", day(30), 901);
    no.flags = again.flags = CONTACT_IS_COPY;
    const struct contact_fact *facts[] = {&no, &again};
    struct address_words words = {0x0102030405060708, facts, 2};
    struct address_book addresses = {&words, 1, NULL, 0};
    use_rules("{\"id\":\"optout\",\"kind\":\"opt_out\"}");
    book->addresses = &addresses;
    for (int at = 0; at < 3; at++) {
        struct contact_fact request = book_request_fact(day(5 + 15 * at), ++numbers);
        request.addresses = (struct span){(const char *)key, sizeof key};
        book_add(book, request);
    }
    assert_walk(&whole, "+--");
}

/* ---- random ones ---- */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static void make_fact(uint32_t span_days)
{
    static const char *const signals[] = {"Complaint Filed", "Complaint Resolved"};
    static const struct span campaigns[] = {{"a", 1}, {"b", 1}};
    double at = below(span_days * 4) / 4.0;
    uint32_t kind = below(10);
    struct contact_fact fact = kind < 5 ? book_request_fact(day(at), ++numbers)
                                        : book_fact(CONTACT_SENT, "", day(at), ++numbers);
    fact.class = below(5) ? SPAN("marketing") : SPAN("service");
    fact.campaign_id = campaigns[below(2)];
    fact.priority = (int16_t)(1 + below(3));
    if (fact.kind == CONTACT_REQUEST && below(3) == 0)
        fact.planned_at = day(at + below(12) / 4.0);
    if (kind == 9)
        fact = book_fact(CONTACT_SIGNAL, signals[below(2)], day(at), ++numbers);
    book_add(book, fact);
    if (fact.kind == CONTACT_REQUEST && below(2))
        happens(below(4) ? CONTACT_SENT : CONTACT_CANCELLED, at + below(20) / 4.0, numbers);
    if (fact.kind == CONTACT_REQUEST && below(2))
        decided(numbers, below(2) ? VERDICT_GRANT : VERDICT_DENY, at);
}

static bool belongs_to(const struct contact_fact *fact, const struct contact_fact *request)
{
    return id_equal(&fact->event_id, &request->event_id) ||
           id_equal(&fact->decision_id, &request->event_id);
}

static const struct contact_fact *fact_named(const struct id *id)
{
    for (size_t i = 0; i < book->fact_count; i++)
        if (id_equal(&book->sorted[i]->event_id, id))
            return book->sorted[i];
    return NULL;
}

/* Whether the fact is there for the request number n of the walk, if those before it were decided
 * as `walked` says. */
static bool is_there(const struct contact_fact *fact, const struct walk_terms *terms,
                     const struct walked *walked, size_t n)
{
    const struct contact_fact *request = fact->kind == CONTACT_REQUEST ? fact
                                         : id_is_nil(&fact->decision_id)
                                             ? NULL
                                             : fact_named(&fact->decision_id);
    struct instant at = walked[n].request->at;
    if (fact->kind == CONTACT_SIGNAL)
        return instant_compare(fact->at, at) <= 0;
    if (instant_compare((request ? request : fact)->at, terms->from) < 0)
        return true;
    for (size_t i = 0; i < n; i++)
        if (belongs_to(fact, walked[i].request))
            return walked[i].verdict == VERDICT_GRANT;
    return request == NULL && !terms->with_sends && instant_compare(fact->at, at) <= 0;
}

/* The stored decision of a request from before, or that of a grant of the walk. */
static bool reservation_there(const struct contact_fact *request, const struct walk_terms *terms,
                              const struct walked *walked, size_t n, struct reservation *out)
{
    for (size_t i = 0; i < n; i++)
        if (id_equal(&walked[i].request->event_id, &request->event_id)) {
            struct contact_result result = {RESULT_OPEN, INSTANT_ABSENT, INSTANT_ABSENT};
            for (size_t k = 0; k < book->fact_count; k++)
                if (contact_is_result(book->sorted[k]) && belongs_to(book->sorted[k], request))
                    contact_result_add(&result, book->sorted[k]);
            struct instant expires =
                instant_plus(walked[i].planned_at, (struct duration){US_PER_DAY});
            if (result.outcome == RESULT_CANCELLED && instant_compare(result.at, expires) < 0)
                expires = result.at;
            *out = (struct reservation){.request_id = request->event_id,
                                        .verdict = (int16_t)walked[i].verdict,
                                        .outcome = RESULT_OPEN,
                                        .planned_at = walked[i].planned_at,
                                        .expires_at = expires,
                                        .sent_at = INSTANT_ABSENT,
                                        .claimed_at = INSTANT_ABSENT};
            return walked[i].verdict == VERDICT_GRANT;
        }
    struct reservation *stored = book_reservation(book, &request->event_id);
    if (stored == NULL || instant_compare(request->at, terms->from) >= 0)
        return false;
    *out = *stored;
    return true;
}

/* Sends of the walk stand in the ledger as sends; the request itself need not be in it. */
static void decide_naively(const struct walk_terms *terms, const struct walked *walked, size_t n,
                           struct contact_decision *out)
{
    const struct contact_fact *facts[BOOK_ROOM];
    struct reservation reservations[BOOK_ROOM];
    struct ledger ledger = {.facts = facts, .reservations = reservations};
    for (size_t i = 0; i < book->fact_count; i++) {
        const struct contact_fact *fact = book->sorted[i];
        if (is_there(fact, terms, walked, n))
            facts[ledger.fact_count++] = fact;
        if (fact->kind == CONTACT_REQUEST &&
            reservation_there(fact, terms, walked, n, &reservations[ledger.reservation_count]))
            ledger.reservation_count++;
    }
    contact_decide(book->policy, &ledger, walked[n].request, walked[n].request->at, &arena, out);
}

static void compare(const struct walk_terms *terms, uint64_t number)
{
    struct history past = history();
    struct walked *walked;
    size_t count = contact_walk(book->policy, &past, terms, &arena, &walked);
    for (size_t i = 0; i < count; i++) {
        struct contact_decision naive;
        decide_naively(terms, walked, i, &naive);
        if (naive.verdict != walked[i].verdict || naive.rule != walked[i].rule)
            fail_msg("story %lu, request %zu of %zu: verdict %d by rule %d, expected %d by %d",
                     (unsigned long)number, i, count, walked[i].verdict, walked[i].rule,
                     naive.verdict, naive.rule);
    }
}

static void as_a_ledger_that_is_built_again(void **state)
{
    static const char *const rules[] = {
        ONE_IN_30,
        "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":2},{\"id\":\"b\",\"kind\":"
        "\"cap\","
        "\"by\":\"campaign\",\"per\":\"P20D\",\"limit\":1}",
        "{\"id\":\"a\",\"kind\":\"apart\",\"for\":\"P2D\"},{\"id\":\"h\",\"kind\":\"hold\",\"on\":["
        "\"Complaint Filed\"],\"release\":[\"Complaint Resolved\"],\"for\":\"P9D\"}",
        "{\"id\":\"g\",\"kind\":\"goal_met\",\"on\":[\"Complaint Filed\"],\"within\":\"P9D\"},"
        "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":3}",
    };
    for (uint64_t number = 0; number < 400; number++) {
        tear_down(state);
        set_up(state);
        seed = number * 7919 + 1;
        use_rules(rules[number % 4]);
        for (uint32_t i = 8 + below(30); i > 0; i--)
            make_fact(60);
        struct walk_terms terms = {day(below(40)), day(40 + below(40)), below(2) == 0,
                                   SPAN("marketing")};
        compare(number % 3 ? &terms : &whole, number);
    }
}

/* 20,000 sends of one customer: each question looks at its window, not at all of them. */
static void many_sends_of_one_customer(void **state)
{
    enum { MANY = 20000 };
    struct contact_fact *facts = calloc(MANY, sizeof *facts);
    const struct contact_fact **sorted = calloc(MANY, sizeof *sorted);
    assert_true(facts && sorted);
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":5},{\"id\":\"d\",\"kind\":"
              "\"cap\",\"by\":\"department\",\"per\":\"P30D\",\"limit\":9}");
    for (uint32_t i = 0; i < MANY; i++) {
        facts[i] = book_fact(CONTACT_SENT, "", day(i / 10.0), i + 1);
        sorted[i] = &facts[i];
    }
    struct history past = {sorted, MANY, NULL, 0, NULL, NULL};
    struct walked *walked;
    size_t granted = 0;
    clock_t begin = clock();
    size_t count = contact_walk(book->policy, &past, &whole, &arena, &walked);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    for (size_t i = 0; i < count; i++)
        granted += walked[i].verdict == VERDICT_GRANT;
    assert_int_equal(count, MANY);
    assert_in_range(granted, 590, 620); /* nine in 30 days, of 2,000 days */
    free(facts);
    free(sorted);
    print_message("%d sends in %.2f s\n", MANY, seconds);
    assert_true(seconds < 5);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(what_is_refused_fills_no_window),
        STORY(a_request_counts_at_its_send),
        STORY(a_refused_request_takes_its_send_along),
        STORY(a_grant_without_a_send_is_held_until_it_expires),
        STORY(a_cancelled_grant_is_free_again),
        STORY(a_delivery_alone_is_the_contact),
        STORY(what_happened_later_is_not_known),
        STORY(the_time_before_stands_as_it_is),
        STORY(sends_that_are_not_asked_about_stand),
        STORY(sends_have_the_class_that_is_given),
        STORY(the_higher_priority_is_asked_first),
        STORY(words_of_addresses_come_in_their_time),
        STORY(as_a_ledger_that_is_built_again),
        STORY(many_sends_of_one_customer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
