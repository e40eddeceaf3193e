/* contact_book.h: a customer's ledger in memory, for tests of contact decisions: facts are added in
 * any order, requests are decided as they are added. */
#ifndef TUTTI_TESTS_CONTACT_BOOK_H
#define TUTTI_TESTS_CONTACT_BOOK_H

#include <stdio.h>
#include <stdlib.h>

#include "services/suppression/logic/contact.h"
#include "services/suppression/policy/suppression_policy.h"

enum { BOOK_ROOM = 512 };

struct contact_book {
    const struct contact_policy *policy;
    struct contact_fact facts[BOOK_ROOM];
    const struct contact_fact *sorted[BOOK_ROOM];
    size_t fact_count;
    struct reservation reservations[BOOK_ROOM];
    size_t reservation_count;
    const struct address_book *addresses; /* NULL: nothing is said of any */
    struct arms arms;
    const struct place_list *places; /* NULL: nothing is known */
    struct instant now;              /* wall clock */
    struct arena arena;
    struct contact_decision last;
};

static inline struct id book_id(uint32_t n)
{
    struct id id = {{0}};
    id.bytes[0] = 1;
    id.bytes[12] = (uint8_t)(n >> 24);
    id.bytes[13] = (uint8_t)(n >> 16);
    id.bytes[14] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    return id;
}

static inline struct instant book_time(const char *text)
{
    struct instant t;
    if (!instant_parse(span_of(text), &t))
        abort();
    return t;
}

/* The test itself is wrong. */
static inline void book_fail(const char *why)
{
    fprintf(stderr, "contact_book: %s\n", why);
    abort();
}

/* Decides by this contact.json from now on. The policy lives in the arena. */
static inline struct contact_policy *book_use_policy(struct contact_book *book, struct arena *arena,
                                                     const char *text)
{
    struct err err = {0};
    struct contact_policy *policy = arena_new(arena, struct contact_policy);
    if (suppression_policy_parse(arena, span_of(text), "test.json", policy, &err) != OUTCOME_OK)
        book_fail(err.message);
    book->policy = policy;
    return policy;
}

static inline int book_sorted_compare(const void *a, const void *b)
{
    const struct contact_fact *x = *(const struct contact_fact *const *)a,
                              *y = *(const struct contact_fact *const *)b;
    int c = instant_compare(x->at, y->at);
    return c ? c : id_compare(&x->event_id, &y->event_id);
}

static inline int book_reservation_compare(const void *a, const void *b)
{
    return id_compare(&((const struct reservation *)a)->request_id,
                      &((const struct reservation *)b)->request_id);
}

static inline struct ledger book_ledger(struct contact_book *book)
{
    return (struct ledger){
        book->sorted, book->fact_count, book->reservations, book->reservation_count,
        NULL,         book->addresses,  &book->arms,        book->places};
}

/* A fact of a kind without any detail; change it before it is added. */
static inline struct contact_fact book_fact(enum contact_kind kind, const char *event,
                                            struct instant at, uint32_t number)
{
    return (struct contact_fact){
        .at = at,
        .received_at = INSTANT_ABSENT,
        .event_id = book_id(number),
        .kind = (int16_t)kind,
        .score = CONTACT_SCORE_ABSENT,
        .priority = CONTACT_PRIORITY_ABSENT,
        .event = span_of(event),
        .channel = SPAN("email"),
        .planned_at = INSTANT_ABSENT,
        .expires_at = INSTANT_ABSENT,
        .latest_at = INSTANT_ABSENT,
    };
}

static inline struct contact_fact book_request_fact(struct instant at, uint32_t number)
{
    struct contact_fact fact = book_fact(CONTACT_REQUEST, "Contact Requested", at, number);
    fact.flags = CONTACT_HAS_CONTACT;
    fact.class = SPAN("marketing");
    return fact;
}

static inline struct reservation *book_reservation(struct contact_book *book,
                                                   const struct id *request_id)
{
    for (size_t i = 0; i < book->reservation_count; i++)
        if (id_equal(&book->reservations[i].request_id, request_id))
            return &book->reservations[i];
    return NULL;
}

static inline void book_settle(struct contact_book *book, const struct contact_fact *fact)
{
    struct reservation *r = book_reservation(book, &fact->decision_id);
    if (r == NULL || fact->kind == CONTACT_REQUEST)
        return;
    struct contact_result result = {(enum contact_outcome)r->outcome, INSTANT_ABSENT, r->sent_at};
    contact_result_add(&result, fact);
    r->outcome = (int16_t)result.outcome;
    r->sent_at = result.sent_at;
}

static inline void book_add(struct contact_book *book, struct contact_fact fact)
{
    if (book->fact_count == BOOK_ROOM)
        abort();
    book->facts[book->fact_count] = fact;
    book->sorted[book->fact_count] = &book->facts[book->fact_count];
    book->fact_count++;
    qsort(book->sorted, book->fact_count, sizeof *book->sorted, book_sorted_compare);
    book_settle(book, &fact);
}

/* Adds and decides a request; the whole decision is book->last. */
static inline enum contact_verdict book_ask(struct contact_book *book, struct contact_fact request)
{
    book_add(book, request);
    struct ledger ledger = book_ledger(book);
    contact_decide(book->policy, &ledger, &request, book->now, &book->arena, &book->last);
    book->reservations[book->reservation_count++] = (struct reservation){
        .request_id = request.event_id,
        .verdict = (int16_t)book->last.verdict,
        .outcome = RESULT_OPEN,
        .planned_at = book->last.planned_at,
        .expires_at = book->last.verdict == VERDICT_GRANT ? book->last.expires_at : INSTANT_NEVER,
        .sent_at = INSTANT_ABSENT,
        .claimed_at = INSTANT_ABSENT,
        .sequence_id = book->last.sequence_id,
    };
    qsort(book->reservations, book->reservation_count, sizeof *book->reservations,
          book_reservation_compare);
    for (size_t i = 0; i < book->fact_count; i++)
        book_settle(book, &book->facts[i]);
    return book->last.verdict;
}

#endif
