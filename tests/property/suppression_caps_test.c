/* suppression_caps_test.c: random requests and sends in random arrival order never break a cap.
 * TUTTI_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/suppression/logic/rules/windows.h"
#include "tests/support/contact_book.h"
#include "tests/support/random.h"

enum { ROUNDS = 300, STEPS = 60, HOUR_COUNT = 24 * 12 };

static const char policy_text[] =
    "{\"classes\":{\"marketing\":{},\"service\":{\"obeys\":false},\"transactional\":{\"obeys\":"
    "false,\"counts\":false}},"
    "\"consent\":{\"*\":{\"on_unknown\":\"allow\"}},\"reservation\":{\"default\":\"P60D\"},"
    "\"rules\":["
    "{\"id\":\"all\",\"kind\":\"cap\",\"per\":\"P3D\",\"limit_by_priority\":{\"low\":2,\"normal\":"
    "3,\"high\":4}},"
    "{\"id\":\"dept\",\"kind\":\"cap\",\"by\":\"department\",\"per\":\"P2D\",\"limit\":2},"
    "{\"id\":\"sms\",\"kind\":\"cap\",\"channels\":[\"sms\"],\"per\":\"PT30H\",\"limit\":1}]}";

static const char *const channels[] = {"email", "sms", "push"};
static const char *const departments[] = {"loans", "cards"};
static const char *const classes[] = {"marketing", "marketing", "marketing", "service",
                                      "transactional"};

static struct contact_policy policy;

static struct instant random_time(struct random *r)
{
    return (struct instant){book_time("2026-03-01T00:00:00Z").us +
                            (int64_t)random_below(r, HOUR_COUNT) * 3600 * US_PER_SECOND};
}

static struct contact_fact random_request(struct random *r, uint32_t number)
{
    struct contact_fact fact = book_request_fact(random_time(r), number);
    fact.channel = span_of(channels[random_below(r, 3)]);
    fact.department = span_of(departments[random_below(r, 2)]);
    fact.class = span_of(classes[random_below(r, 5)]);
    fact.priority = (int16_t)(1 + random_below(r, 3));
    if (random_below(r, 2))
        fact.planned_at =
            (struct instant){fact.at.us + (int64_t)random_below(r, 48) * 3600 * US_PER_SECOND};
    return fact;
}

/* A naive model: one row per contact that counts. */
struct model_contact {
    int64_t at;
    uint32_t number;
    struct contact_fact like;
};

struct model {
    struct model_contact rows[BOOK_ROOM];
    size_t count;
};

static bool is_same_scope(const char *rule, const struct contact_fact *a,
                          const struct contact_fact *b)
{
    if (strcmp(rule, "dept") == 0)
        return span_equal(a->department, b->department);
    return strcmp(rule, "sms") != 0 || (span_is(a->channel, "sms") && span_is(b->channel, "sms"));
}

/* Most contacts of the scope in any half-open window that holds row i: every start that is a
 * contact is tried. */
static int most_around(const struct model *model, size_t i, const char *rule, int64_t per)
{
    int most = 0;
    for (size_t s = 0; s < model->count; s++) {
        int64_t start = model->rows[s].at;
        int inside = 0;
        if (start > model->rows[i].at || model->rows[i].at >= start + per)
            continue;
        for (size_t j = 0; j < model->count; j++)
            inside += model->rows[j].at >= start && model->rows[j].at < start + per &&
                      is_same_scope(rule, &model->rows[i].like, &model->rows[j].like);
        most = inside > most ? inside : most;
    }
    return most;
}

static bool fits(const struct model *model, size_t i)
{
    static const int limits[] = {2, 3, 4};
    const struct contact_fact *like = &model->rows[i].like;
    if (most_around(model, i, "all", 3 * US_PER_DAY) > limits[like->priority - 1])
        return false;
    if (most_around(model, i, "dept", 2 * US_PER_DAY) > 2)
        return false;
    return !span_is(like->channel, "sms") ||
           most_around(model, i, "sms", 30 * 3600 * US_PER_SECOND) <= 1;
}

static bool counts(const struct contact_fact *fact)
{
    return !span_is(fact->class, "transactional");
}

static void model_add(struct model *model, const struct contact_fact *like, struct instant at,
                      uint32_t number)
{
    if (counts(like))
        model->rows[model->count++] = (struct model_contact){at.us, number, *like};
}

/* The contact of a request moves to its send time, or goes away. */
static void model_move(struct model *model, uint32_t number, const struct instant *at)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->rows[i].number != number)
            continue;
        if (at)
            model->rows[i].at = at->us;
        else
            model->rows[i] = model->rows[--model->count];
        return;
    }
}

/* Exactly the requests that fit are granted: none too many, none too few. */
static void ask(struct contact_book *book, struct model *model, struct random *r, uint32_t number)
{
    struct contact_fact fact = random_request(r, number);
    bool obeys = span_is(fact.class, "marketing");
    model_add(model, &fact, contact_planned_at(&fact), number);
    bool expected = !obeys || fits(model, model->count - 1);
    enum contact_verdict verdict = book_ask(book, fact);
    if ((verdict == VERDICT_GRANT) != expected)
        fail_msg("request %u: verdict %d, the model says %s", number, verdict,
                 expected ? "grant" : "deny");
    if (verdict != VERDICT_GRANT && counts(&fact))
        model->count--;
}

static void send_unasked(struct contact_book *book, struct model *model, struct random *r,
                         uint32_t number)
{
    struct contact_fact fact = random_request(r, number);
    fact.kind = CONTACT_SENT;
    fact.planned_at = INSTANT_ABSENT;
    book_add(book, fact);
    model_add(model, &fact, fact.at, number);
}

static void end_one(struct contact_book *book, struct model *model, struct random *r,
                    uint32_t number)
{
    struct reservation *row =
        book->reservation_count
            ? &book->reservations[random_below(r, (uint32_t)book->reservation_count)]
            : NULL;
    if (row == NULL || row->verdict != VERDICT_GRANT || row->outcome != RESULT_OPEN)
        return;
    bool is_sent = random_below(r, 2) == 0;
    struct instant at = random_time(r);
    uint32_t asked = (uint32_t)row->request_id.bytes[14] << 8 | row->request_id.bytes[15];
    struct contact_fact fact =
        book_fact(is_sent ? CONTACT_SENT : CONTACT_CANCELLED, "Contact Sent", at, number);
    fact.decision_id = row->request_id;
    fact.channel = SPAN(""); /* all details come from the request */
    book_add(book, fact);
    model_move(model, asked, is_sent ? &at : NULL);
}

static void play(struct contact_book *book, uint64_t seed, char verdicts[STEPS + 1])
{
    struct random r = {seed};
    static struct model model;
    model.count = 0;
    book->policy = &policy;
    book->now = book_time("2026-03-01T00:00:00Z");
    for (uint32_t n = 1; n <= STEPS; n++) {
        uint32_t what = random_below(&r, 10);
        book->last.verdict = 0;
        if (what < 7)
            ask(book, &model, &r, n);
        else if (what == 7)
            send_unasked(book, &model, &r, n);
        else
            end_one(book, &model, &r, n);
        verdicts[n - 1] = (char)('0' + (int)book->last.verdict);
    }
    verdicts[STEPS] = '\0';
}

static void assert_each_request_once(struct contact_book *book)
{
    size_t requests = 0;
    for (size_t i = 0; i < book->fact_count; i++)
        requests += book->facts[i].kind == CONTACT_REQUEST;
    assert_int_equal(requests, book->reservation_count);
    for (size_t i = 1; i < book->reservation_count; i++)
        assert_true(id_compare(&book->reservations[i - 1].request_id,
                               &book->reservations[i].request_id) < 0);
}

static void play_fresh(uint64_t seed, char verdicts[STEPS + 1])
{
    struct contact_book *book = calloc(1, sizeof *book);
    assert_non_null(book);
    play(book, seed, verdicts);
    assert_each_request_once(book);
    arena_free(&book->arena);
    free(book);
}

static void caps_hold_in_every_window(void **state)
{
    struct random r = random_from_environment();
    for (int i = 0; i < ROUNDS; i++) {
        char first[STEPS + 1], again[STEPS + 1];
        uint64_t seed = i == 0 ? r.state : random_next(&r);
        printf("%sround seed %llu\r", i ? "" : "\n", (unsigned long long)seed);
        play_fresh(seed, first);
        play_fresh(seed, again);
        assert_string_equal(first, again); /* the same arrival, the same verdicts */
    }
}

/* Whatever retry_at names is granted when it is asked for then. */
static void retry_is_granted(void **state)
{
    struct random r = random_from_environment();
    size_t retried = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct contact_book *book = calloc(1, sizeof *book);
        assert_non_null(book);
        char verdicts[STEPS + 1];
        play(book, random_next(&r), verdicts);
        struct contact_fact fact = random_request(&r, STEPS + 1);
        if (book_ask(book, fact) == VERDICT_DENY) {
            assert_true(book->last.retry_at.us != INSTANT_ABSENT.us);
            fact.event_id = book_id(STEPS + 2);
            fact.planned_at = (struct instant){book->last.retry_at.us - 1};
            assert_int_equal(book_ask(book, fact), VERDICT_DENY);
            fact.event_id = book_id(STEPS + 3);
            fact.planned_at.us++;
            assert_int_equal(book_ask(book, fact), VERDICT_GRANT);
            retried++;
        }
        arena_free(&book->arena);
        free(book);
    }
    assert_true(retried > ROUNDS / 10);
}

/* ---- places ---- */

enum { CONTACTS = 12, SPAN_OF_TIME = 60, PLACE_ROUNDS = 2000 };

/* Places of the contacts in [from, from + per). */
static int32_t places_in(const struct places *places, int64_t from, int64_t per)
{
    bool taken[CONTACTS] = {false};
    int32_t count = 0;
    for (size_t i = 0; i < places->count; i++) {
        const struct placed_contact *one = &places->items[i];
        if (one->at.us < from || one->at.us >= from + per || taken[one->place])
            continue;
        taken[one->place] = true;
        count++;
    }
    return count;
}

static int32_t places_around(const struct places *places, int64_t at, int64_t per)
{
    int32_t most = 0;
    for (int64_t from = at - per + 1; from <= at; from++) {
        int32_t count = places_in(places, from, per);
        most = count > most ? count : most;
    }
    return most;
}

static struct places random_places(struct random *r, struct placed_contact items[CONTACTS])
{
    struct places places = {items, random_next(r) % (CONTACTS + 1)};
    for (size_t i = 0; i < places.count; i++) {
        int64_t before = i ? items[i - 1].at.us : 0;
        items[i] = (struct placed_contact){.at = {before + (int64_t)(random_next(r) % 8)},
                                           .place = (uint32_t)i};
        size_t other = random_next(r) % CONTACTS;
        if (other < i)
            items[i].place = items[other].place;
    }
    return places;
}

/* Every instant is closed exactly where a window around it is full. */
static void places_close_as_windows_do(void **state)
{
    struct random r = random_from_environment();
    struct arena rounds = {0};
    for (int i = 0; i < PLACE_ROUNDS; i++) {
        struct placed_contact items[CONTACTS];
        struct places places = random_places(&r, items);
        int64_t per = 1 + (int64_t)(random_next(&r) % 20);
        int32_t limit = 1 + (int32_t)(random_next(&r) % 4);
        int64_t at =
            (int64_t)(random_next(&r) % (uint64_t)per) + (places.count ? items[0].at.us : 0);
        struct closings closings = {0};
        assert_int_equal(windows_most_places(&places, (struct duration){per}, (struct instant){at}),
                         places_around(&places, at, per) + 1);
        windows_close_places(&places, limit, (struct duration){per}, &rounds, &closings);
        for (int64_t t = -25; t < SPAN_OF_TIME + 100; t++) {
            bool is_closed = false;
            for (size_t k = 0; k < closings.count; k++)
                is_closed =
                    is_closed || (closings.items[k].from.us <= t && t < closings.items[k].until.us);
            assert_int_equal(is_closed, places_around(&places, t, per) >= limit);
        }
        arena_reset(&rounds);
    }
    arena_free(&rounds);
}

int main(void)
{
    static struct arena arena;
    struct err err = {0};
    if (suppression_policy_parse(&arena, span_of(policy_text), "test.json", &policy, &err) !=
        OUTCOME_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_hold_in_every_window),
        cmocka_unit_test(retry_is_granted),
        cmocka_unit_test(places_close_as_windows_do),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
