/* suppression_retry_test.c: the time at which to ask again, against a scan of every boundary of
 * every rule and its neighbours, with windows counted one by one. TUTTI_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "tests/support/contact_book.h"
#include "tests/support/random.h"

enum { ROUNDS = 5000, MOST_CONTACTS = 30, MOST_RULES = 4, MOST_HOLDS = 2, CAMPAIGNS = 3 };

static const int64_t hour = 3600 * US_PER_SECOND;
static const char *const campaigns[CAMPAIGNS] = {"spring", "autumn", "winter"};

/* What the rules are about, in plain numbers. */
struct rule {
    bool is_hold, by_campaign;
    int64_t per; /* of a hold: how long */
    int limit;
};

struct world {
    struct rule rules[MOST_RULES];
    size_t rule_count;
    int64_t contacts[MOST_CONTACTS], holds[MOST_HOLDS];
    uint32_t campaign[MOST_CONTACTS], asked; /* of the contacts; of the request */
    size_t contact_count, hold_count;
    int64_t planned_at;
};

/* Coarse times, so that ends meet. */
static int64_t random_time(struct random *r)
{
    return book_time("2026-03-01T00:00:00Z").us + (int64_t)random_below(r, 120) * 2 * hour;
}

static struct world random_world(struct random *r)
{
    struct world w = {.rule_count = 1 + random_below(r, MOST_RULES),
                      .contact_count = random_below(r, MOST_CONTACTS + 1),
                      .hold_count = random_below(r, MOST_HOLDS + 1),
                      .asked = random_below(r, CAMPAIGNS)};
    for (size_t i = 0; i < w.rule_count; i++)
        w.rules[i] =
            (struct rule){.is_hold = random_below(r, 4) == 0,
                          .by_campaign = random_below(r, 2) == 0,
                          .per = (int64_t)(1 + random_below(r, 48)) * hour,
                          .limit = (int)random_below(r, 20) ? 1 + (int)random_below(r, 4) : 0};
    for (size_t i = 0; i < w.contact_count; i++) {
        w.contacts[i] = random_time(r);
        w.campaign[i] = random_below(r, CAMPAIGNS);
    }
    for (size_t i = 0; i < w.hold_count; i++)
        w.holds[i] = random_time(r);
    w.planned_at = random_time(r);
    return w;
}

/* ---- the definition, plainly ---- */

static bool is_counted(const struct world *w, const struct rule *rule, size_t contact)
{
    return !rule->by_campaign || w->campaign[contact] == w->asked;
}

/* Contacts in [start, start + per). */
static int inside(const struct world *w, const struct rule *rule, int64_t start)
{
    int count = 0;
    for (size_t i = 0; i < w->contact_count; i++)
        count +=
            is_counted(w, rule, i) && w->contacts[i] >= start && w->contacts[i] < start + rule->per;
    return count;
}

/* A window may start at each contact, or just after `at` - per, or at `at`. */
static bool cap_allows(const struct world *w, const struct rule *rule, int64_t at)
{
    bool fits =
        inside(w, rule, at) < rule->limit && inside(w, rule, at - rule->per + 1) < rule->limit;
    for (size_t i = 0; fits && i < w->contact_count; i++)
        if (w->contacts[i] <= at && w->contacts[i] > at - rule->per)
            fits = inside(w, rule, w->contacts[i]) < rule->limit;
    return fits;
}

static bool hold_allows(const struct world *w, const struct rule *rule, int64_t at)
{
    for (size_t i = 0; i < w->hold_count; i++)
        if (at < w->holds[i] + rule->per)
            return false;
    return true;
}

static bool all_allow(const struct world *w, int64_t at)
{
    for (size_t i = 0; i < w->rule_count; i++)
        if (!(w->rules[i].is_hold ? hold_allows(w, &w->rules[i], at)
                                  : cap_allows(w, &w->rules[i], at)))
            return false;
    return true;
}

struct scan {
    const struct world *world;
    int64_t best;
};

static void try_around(struct scan *scan, int64_t boundary)
{
    for (int64_t at = boundary - 1; at <= boundary + 1; at++)
        if (at >= scan->world->planned_at && at < scan->best && all_allow(scan->world, at))
            scan->best = at;
}

/* INT64_MAX: never. */
static int64_t earliest(const struct world *w)
{
    struct scan scan = {w, INT64_MAX};
    try_around(&scan, w->planned_at);
    for (size_t r = 0; r < w->rule_count; r++) {
        for (size_t i = 0; i < w->contact_count; i++) {
            try_around(&scan, w->contacts[i]);
            try_around(&scan, w->contacts[i] - w->rules[r].per);
            try_around(&scan, w->contacts[i] + w->rules[r].per);
        }
        for (size_t i = 0; i < w->hold_count; i++)
            try_around(&scan, w->holds[i] + w->rules[r].per);
    }
    return scan.best;
}

/* ---- the same asked of the decision ---- */

static void add_rule(struct strbuf *out, const struct rule *rule, size_t number)
{
    int hours = (int)(rule->per / hour);
    strbuf_addf(out, "%s{\"id\":\"r%zu\",", out->len ? "," : "", number);
    if (rule->is_hold)
        strbuf_addf(out, "\"kind\":\"hold\",\"on\":[\"Complaint Filed\"],\"for\":\"PT%dH\"}",
                    hours);
    else
        strbuf_addf(out, "\"kind\":\"cap\",%s\"per\":\"PT%dH\",\"limit\":%d}",
                    rule->by_campaign ? "\"by\":\"campaign\"," : "", hours, rule->limit);
}

/* The rules from `first` on, then those before it. */
static const struct contact_policy *policy_of(const struct world *w, size_t first,
                                              struct arena *arena)
{
    struct strbuf rules = {.arena = arena};
    struct contact_policy *policy = arena_new(arena, struct contact_policy);
    struct err err = {0};
    for (size_t i = 0; i < w->rule_count; i++) {
        size_t number = (first + i) % w->rule_count;
        add_rule(&rules, &w->rules[number], number);
    }
    const char *text = arena_printf(arena, "{\"classes\":{\"marketing\":{}},\"rules\":[%.*s]}",
                                    (int)rules.len, rules.ptr ? rules.ptr : "");
    if (suppression_policy_parse(arena, span_of(text), "test.json", policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    return policy;
}

/* planned_at if granted, retry_at if denied, INT64_MAX without. */
static int64_t answer(const struct world *w, size_t first_rule)
{
    struct contact_book *book = calloc(1, sizeof *book);
    assert_non_null(book);
    book->policy = policy_of(w, first_rule, &book->arena);
    for (uint32_t i = 0; i < w->contact_count; i++) {
        struct contact_fact sent =
            book_fact(CONTACT_SENT, "Contact Sent", (struct instant){w->contacts[i]}, 1 + i);
        sent.campaign_id = span_of(campaigns[w->campaign[i]]);
        book_add(book, sent);
    }
    for (uint32_t i = 0; i < w->hold_count; i++)
        book_add(book, book_fact(CONTACT_SIGNAL, "Complaint Filed", (struct instant){w->holds[i]},
                                 100 + i));
    struct contact_fact request = book_request_fact((struct instant){w->planned_at}, 200);
    request.campaign_id = span_of(campaigns[w->asked]);
    enum contact_verdict verdict = book_ask(book, request);
    struct instant at = verdict == VERDICT_GRANT ? book->last.planned_at : book->last.retry_at;
    arena_free(&book->arena);
    free(book);
    return at.us == INSTANT_ABSENT.us ? INT64_MAX : at.us;
}

static void retry_is_the_first_of_all_boundaries(void **state)
{
    struct random r = random_from_environment();
    int denied = 0, never = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct world w = random_world(&r);
        int64_t wanted = earliest(&w), seen = answer(&w, 0);
        if (seen != wanted)
            fail_msg("round %d: %lld, the scan says %lld", i, (long long)seen, (long long)wanted);
        denied += seen != w.planned_at;
        never += seen == INT64_MAX;
    }
    assert_true(denied > ROUNDS / 4 && never > ROUNDS / 100);
}

static void the_order_of_rules_is_nothing(void **state)
{
    struct random r = random_from_environment();
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct world w = random_world(&r);
        int64_t wanted = answer(&w, 0);
        for (size_t first = 1; first < w.rule_count; first++)
            assert_int_equal(answer(&w, first), wanted);
    }
}

static void more_never_opens_earlier(void **state)
{
    struct random r = random_from_environment();
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct world w = random_world(&r), less = w;
        int64_t whole = answer(&w, 0);
        if (w.contact_count > 0) {
            less.contact_count--;
            assert_true(answer(&less, 0) <= whole);
        }
        if (w.rule_count > 1) {
            less = w;
            less.rule_count--;
            assert_true(answer(&less, 0) <= whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_is_the_first_of_all_boundaries),
        cmocka_unit_test(the_order_of_rules_is_nothing),
        cmocka_unit_test(more_never_opens_earlier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
